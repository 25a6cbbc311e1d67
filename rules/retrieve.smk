rule retrieval:
    input:
        manifest="results/{study}/manifest.parquet",
        embeddings=of_readers("results/{study}/embeddings/{encoder}.parquet"),
        texts=of_readers("results/{study}/texts/{encoder}.parquet"),
    output:
        retrieval="results/{study}/retrieval.parquet",
    log:
        "logs/retrieval/{study}.log",
    benchmark:
        "benchmarks/results/retrieval/{study}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(4000),
        runtime=60,
    params:
        code=code_version("retrieval.py"),
        libraries=libraries("retrieval.py"),
    message:
        "Finding images by prompts and prompts by images in {wildcards.study}"
    script:
        "../workflow/scripts/retrieval.py"


# Never part of `all`: ask for results/<study>/index/<encoder>, then `bakeoff search`.
rule index:
    input:
        manifest="results/{study}/manifest.parquet",
        embeddings="results/{study}/embeddings/{encoder}.parquet",
        texts=of_readers("results/{study}/texts/{encoder}.parquet"),
    output:
        index=directory("results/{study}/index/{encoder}"),
    log:
        "logs/index/{study}/{encoder}.log",
    benchmark:
        "benchmarks/results/index/{study}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: 8
    resources:
        mem_mb=more(8000),
        runtime=120,
    params:
        settings=settings("index"),
        code=code_version("index.py"),
        libraries=libraries("index.py"),
    message:
        "Indexing the vectors of {wildcards.encoder} on {wildcards.study}"
    script:
        "../workflow/scripts/index.py"
