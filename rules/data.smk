rule manifest:
    input:
        label_files,
    output:
        manifest="results/{study}/manifest.parquet",
        quarantine="results/{study}/quarantine.parquet",
    log:
        "logs/manifest/{study}.log",
    benchmark:
        "benchmarks/results/manifest/{study}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: 4
    resources:
        mem_mb=more(2000),
        runtime=120,
    params:
        settings=settings("manifest"),
        images=image_files,
        code=code_version("manifest.py"),
        libraries=libraries("manifest.py"),
    message:
        "Reading the images of {wildcards.study}"
    script:
        "../workflow/scripts/manifest.py"


rule folds:
    input:
        manifest="results/{study}/manifest.parquet",
    output:
        folds="results/{study}/folds/{protocol}.parquet",
    log:
        "logs/folds/{study}/{protocol}.log",
    benchmark:
        "benchmarks/results/folds/{study}/{protocol}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(1000),
        runtime=30,
    params:
        settings=settings("folds"),
        code=code_version("folds.py"),
        libraries=libraries("folds.py"),
    message:
        "Dividing {wildcards.study} for protocol {wildcards.protocol}"
    script:
        "../workflow/scripts/folds.py"
