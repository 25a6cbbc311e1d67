rule summary:
    input:
        manifest="results/{study}/manifest.parquet",
        quarantine="results/{study}/quarantine.parquet",
        predictions=predictions,
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
        comparisons="results/{study}/comparisons.parquet",
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
    message:
        "Writing the summary of {wildcards.study}"
    script:
        "../workflow/scripts/summary.py"


# What the results were made from and with. No rule reads it.
rule provenance:
    input:
        page="results/{study}/summary.html",
        tables=tables,
        encoders=weights_of_study,
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
        code=code_version("provenance.py"),
    message:
        "Recording what {wildcards.study} was made with"
    script:
        "../workflow/scripts/provenance.py"
