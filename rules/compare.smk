rule compare:
    input:
        predictions=predictions,
        refits=refits,
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
        folds=of_protocols("results/{study}/folds/{protocol}.parquet"),
        manifest="results/{study}/manifest.parquet",
    output:
        comparisons="results/{study}/comparisons.parquet",
    log:
        "logs/compare/{study}.log",
    benchmark:
        "benchmarks/results/compare/{study}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: 2
    resources:
        mem_mb=more(4000),
        runtime=120,
    params:
        settings=settings("compare"),
        code=code_version("compare.py"),
        libraries=libraries("compare.py"),
    message:
        "Comparing the encoders on {wildcards.study}"
    script:
        "../workflow/scripts/compare.py"


# Studies as data: ranks and tests over at least five of them.
rule ranks:
    input:
        metrics=metrics_of_span,
    output:
        ranks="results/across/{protocol}/{method}/{metric}/ranks.parquet",
        comparisons="results/across/{protocol}/{method}/{metric}/comparisons.parquet",
        table=report(
            "results/across/{protocol}/{method}/{metric}/ranks.csv",
            caption="../workflow/report/table_ranks.rst",
            category="Across studies",
            labels={
                "figure": "Table: ranks",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        tests=report(
            "results/across/{protocol}/{method}/{metric}/tests.csv",
            caption="../workflow/report/table_tests.rst",
            category="Across studies",
            labels={
                "figure": "Table: tests",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        others=expand(
            "results/across/{{protocol}}/{{method}}/{{metric}}/{name}.{kind}",
            name=["ranks", "tests"],
            kind=["md", "tex"],
        ),
    log:
        "logs/across/{protocol}/{method}/{metric}/ranks.log",
    benchmark:
        "benchmarks/results/across/{protocol}/{method}/{metric}/ranks.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(1000),
        runtime=20,
    params:
        settings=settings("ranks"),
        code=code_version("ranks.py"),
        libraries=libraries("ranks.py"),
    message:
        "Ranking the encoders over the studies by {wildcards.metric}"
    script:
        "../workflow/scripts/ranks.py"


rule variance:
    input:
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
        embeddings=of_readers("results/{study}/embeddings/{encoder}.parquet"),
        texts=of_readers("results/{study}/texts/{encoder}.parquet"),
        manifest="results/{study}/manifest.parquet",
        folds=main_folds,
    output:
        variance="results/{study}/variance.parquet",
        seeds="results/{study}/seeds.parquet",
    log:
        "logs/variance/{study}.log",
    benchmark:
        "benchmarks/results/variance/{study}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(4000),
        runtime=60,
    params:
        settings=settings("variance"),
        code=code_version("variance.py"),
        libraries=libraries("variance.py"),
    message:
        "Where the variance on {wildcards.study} comes from"
    script:
        "../workflow/scripts/variance.py"
