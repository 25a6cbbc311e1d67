rule summary:
    input:
        manifest="results/{study}/manifest.parquet",
        quarantine="results/{study}/quarantine.parquet",
        predictions=main_predictions,
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
        baseline="results/{study}/baseline.parquet",
        sensitivity=of_encoders("results/{study}/sensitivity/{encoder}.parquet"),
        comparisons="results/{study}/comparisons.parquet",
        costs="results/{study}/costs.parquet",
        retrieval="results/{study}/retrieval.parquet",
        variance="results/{study}/variance.parquet",
        seeds="results/{study}/seeds.parquet",
        figures=figures(".svg"),
        captions=captions,
    output:
        page=report(
            "results/{study}/summary.html",
            caption="../workflow/report/summary.rst",
            category="{study}",
            labels={"figure": "Summary page"},
        ),
    log:
        "logs/summary/{study}.log",
    benchmark:
        "benchmarks/results/summary/{study}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: 2
    resources:
        mem_mb=more(2000),
        runtime=30,
    params:
        settings=settings("summary"),
        code=code_version("summary.py"),
        libraries=libraries("summary.py"),
    message:
        "Writing the summary of {wildcards.study}"
    script:
        "../workflow/scripts/summary.py"


rule tables:
    input:
        manifest="results/{study}/manifest.parquet",
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
        baseline="results/{study}/baseline.parquet",
        comparisons="results/{study}/comparisons.parquet",
        costs="results/{study}/costs.parquet",
        retrieval="results/{study}/retrieval.parquet",
        variance="results/{study}/variance.parquet",
        seeds="results/{study}/seeds.parquet",
    output:
        results=report(
            "results/{study}/tables/results.csv",
            caption="../workflow/report/table_results.rst",
            category="{study}",
            labels={"figure": "Table: every metric"},
        ),
        tests=report(
            "results/{study}/tables/tests.csv",
            caption="../workflow/report/table_tests.rst",
            category="{study}",
            labels={"figure": "Table: tests"},
        ),
        classes=report(
            "results/{study}/tables/classes.csv",
            caption="../workflow/report/table_classes.rst",
            category="{study}",
            labels={"figure": "Table: classes"},
        ),
        classes_tests=report(
            "results/{study}/tables/classes_tests.csv",
            caption="../workflow/report/table_classes_tests.rst",
            category="{study}",
            labels={"figure": "Table: tests by class"},
        ),
        costs=report(
            "results/{study}/tables/costs.csv",
            caption="../workflow/report/table_costs.rst",
            category="{study}",
            labels={"figure": "Table: costs"},
        ),
        retrieval=report(
            "results/{study}/tables/retrieval.csv",
            caption="../workflow/report/table_retrieval.rst",
            category="{study}",
            labels={"figure": "Table: retrieval"},
        ),
        variance=report(
            "results/{study}/tables/variance.csv",
            caption="../workflow/report/table_variance.rst",
            category="{study}",
            labels={"figure": "Table: variance"},
        ),
        seeds=report(
            "results/{study}/tables/seeds.csv",
            caption="../workflow/report/table_seeds.rst",
            category="{study}",
            labels={"figure": "Table: seeds"},
        ),
        data=report(
            "results/{study}/tables/data.csv",
            caption="../workflow/report/table_data.rst",
            category="{study}",
            labels={"figure": "Table: images"},
        ),
        others=expand(
            "results/{{study}}/tables/{name}.{kind}",
            name=TABLES,
            kind=["md", "tex"],
        ),
    log:
        "logs/tables/{study}.log",
    benchmark:
        "benchmarks/results/tables/{study}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("tables"),
        code=code_version("tables.py"),
        libraries=libraries("tables.py"),
    message:
        "Printing the tables of {wildcards.study}"
    script:
        "../workflow/scripts/tables.py"


# What the results were made from and with. No rule reads it.
rule provenance:
    input:
        # Made from all tables, so that this runs again with any of them.
        page="results/{study}/summary.html",
        encoders=all_weights,
    output:
        record="results/{study}/provenance.json",
    log:
        "logs/provenance/{study}.log",
    benchmark:
        "benchmarks/results/provenance/{study}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(1000),
        runtime=30,
    params:
        settings=settings("provenance"),
        tables=tables,
        code=code_version("provenance.py"),
        libraries=libraries("provenance.py"),
    message:
        "Recording what {wildcards.study} was made with"
    script:
        "../workflow/scripts/provenance.py"
