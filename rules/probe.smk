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


# What the errors of distances rest on where the probe is a ridge regression.
rule refits:
    input:
        embeddings="results/{study}/embeddings/{encoder}.parquet",
        manifest="results/{study}/manifest.parquet",
        folds="results/{study}/folds/{protocol}.parquet",
    output:
        refits="results/{study}/refits/{protocol}/{probe}/{encoder}.parquet",
    log:
        "logs/refits/{study}/{protocol}/{probe}/{encoder}.log",
    benchmark:
        "benchmarks/results/refits/{study}/{protocol}/{probe}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=120,
    params:
        settings=settings("refits"),
        code=code_version("refits.py"),
    message:
        "Refits of {wildcards.probe} on {wildcards.encoder}: {wildcards.study}, {wildcards.protocol}"
    script:
        "../workflow/scripts/refits.py"
