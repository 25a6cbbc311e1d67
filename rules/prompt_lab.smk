# Never part of `all`: ask for results/<study>/figures/prompts/<protocol>/<encoder>.svg,
# or for the tables behind it, results/<study>/prompt_lab/<protocol>/<encoder>/gain.csv.
rule prompt_lab:
    input:
        embeddings="results/{study}/embeddings/{encoder}.parquet",
        texts="results/{study}/texts/{encoder}.parquet",
        manifest="results/{study}/manifest.parquet",
        folds="results/{study}/folds/{protocol}.parquet",
    output:
        predictions="results/{study}/prompt_lab/{protocol}/{encoder}/predictions.parquet",
        prompts="results/{study}/prompt_lab/{protocol}/{encoder}/prompts.csv",
        gain="results/{study}/prompt_lab/{protocol}/{encoder}/gain.csv",
    log:
        "logs/prompt_lab/{study}/{protocol}/{encoder}.log",
    benchmark:
        "benchmarks/results/prompt_lab/{study}/{protocol}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=60,
    params:
        settings=settings("prompt_lab"),
        code=code_version("prompt_lab.py"),
        libraries=libraries("prompt_lab.py"),
    message:
        "Choosing prompts for {wildcards.encoder} on {wildcards.study}"
    script:
        "../workflow/scripts/prompt_lab.py"
