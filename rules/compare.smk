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
