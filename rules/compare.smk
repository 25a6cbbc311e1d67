rule compare:
    input:
        predictions=predictions,
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
    message:
        "Comparing the encoders on {wildcards.study}"
    script:
        "../workflow/scripts/compare.py"


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
    message:
        "Where the variance on {wildcards.study} comes from"
    script:
        "../workflow/scripts/variance.py"
