rule zeroshot:
    input:
        embeddings="results/{study}/embeddings/{encoder}.parquet",
        texts="results/{study}/texts/{encoder}.parquet",
        manifest="results/{study}/manifest.parquet",
        folds="results/{study}/folds/{protocol}.parquet",
    output:
        predictions="results/{study}/predictions/{protocol}/zeroshot/{encoder}.parquet",
    log:
        "logs/zeroshot/{study}/{protocol}/{encoder}.log",
    benchmark:
        "benchmarks/results/zeroshot/{study}/{protocol}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=30,
    params:
        settings=settings("zeroshot"),
        code=code_version("zeroshot.py"),
        libraries=libraries("zeroshot.py"),
    message:
        "Zero-shot with {wildcards.encoder}: {wildcards.study}, {wildcards.protocol}"
    script:
        "../workflow/scripts/zeroshot.py"
