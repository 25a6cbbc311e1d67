rule metrics:
    input:
        predictions=predictions,
        manifest="results/{study}/manifest.parquet",
    output:
        metrics="results/{study}/metrics/{encoder}.parquet",
    log:
        "logs/metrics/{study}/{encoder}.log",
    benchmark:
        "benchmarks/results/metrics/{study}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=60,
    params:
        code=code_version("metrics.py"),
        libraries=libraries("metrics.py"),
    message:
        "Metrics of {wildcards.encoder} on {wildcards.study}"
    script:
        "../workflow/scripts/metrics.py"


rule baseline:
    input:
        manifest="results/{study}/manifest.parquet",
        folds=of_protocols("results/{study}/folds/{protocol}.parquet"),
    output:
        baseline="results/{study}/baseline.parquet",
    log:
        "logs/baseline/{study}.log",
    benchmark:
        "benchmarks/results/baseline/{study}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("baseline"),
        code=code_version("baseline.py"),
        libraries=libraries("baseline.py"),
    message:
        "Metrics of the commonest class of {wildcards.study}"
    script:
        "../workflow/scripts/baseline.py"
