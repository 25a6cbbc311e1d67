rule probe:
    input:
        embeddings="results/{study}/embeddings/{encoder}.parquet",
        manifest="results/{study}/manifest.parquet",
        folds="results/{study}/folds/{protocol}.parquet",
    output:
        predictions="results/{study}/predictions/{protocol}/{probe}/{encoder}.parquet",
    log:
        "logs/probe/{study}/{protocol}/{probe}/{encoder}.log",
    benchmark:
        "benchmarks/results/probe/{study}/{protocol}/{probe}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=120,
    params:
        settings=settings("probe"),
        code=code_version("probe.py"),
        libraries=libraries("probe.py"),
    message:
        "{wildcards.probe} on {wildcards.encoder}: {wildcards.study}, {wildcards.protocol}"
    script:
        "../workflow/scripts/probe.py"


rule sensitivity:
    input:
        embeddings="results/{study}/embeddings/{encoder}.parquet",
        manifest="results/{study}/manifest.parquet",
        folds=main_folds,
    output:
        sensitivity="results/{study}/sensitivity/{encoder}.parquet",
    log:
        "logs/sensitivity/{study}/{encoder}.log",
    benchmark:
        "benchmarks/results/sensitivity/{study}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=120,
    params:
        settings=settings("sensitivity"),
        code=code_version("sensitivity.py"),
        libraries=libraries("sensitivity.py"),
    message:
        "Settings of the probes on {wildcards.encoder}: {wildcards.study}"
    script:
        "../workflow/scripts/sensitivity.py"
