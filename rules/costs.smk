# What is measured, by which code and libraries, as a file. Snakemake leaves out a job whose own
# settings or code change together with an input that is ancient(); it does not where the
# change also comes by an input that is not.
rule costs_settings:
    output:
        note="results/{study}/costs.json",
    log:
        "logs/costs_settings/{study}.log",
    benchmark:
        "benchmarks/results/costs_settings/{study}.tsv"
    localrule: True
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(1000),
        runtime=10,
    params:
        settings=settings("costs"),
        measured=code_version("costs.py"),
        code=code_version("costs_settings.py"),
        libraries=libraries("costs.py"),
    message:
        "Noting what is measured in {wildcards.study}"
    script:
        "../workflow/scripts/costs_settings.py"


# All encoders of a study in one job that has the machine to itself: rates of different
# runs, or of a busy machine, do not compare. An added image changes no cost, so any
# manifest will do.
rule costs:
    input:
        manifest=ancient("results/{study}/manifest.parquet"),
        note="results/{study}/costs.json",
        encoders=measured_weights,
    output:
        costs="results/{study}/costs.parquet",
    log:
        "logs/costs/{study}.log",
    benchmark:
        "benchmarks/results/costs/{study}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: workflow.resource_settings.cores or 8
    resources:
        mem_mb=more(8000),
        runtime=240,
        device=PLAN.config["extraction"]["device"],
    params:
        settings=settings("costs"),
        code=code_version("costs.py"),
        libraries=libraries("costs.py"),
    message:
        "Measuring what the encoders cost on images of {wildcards.study}"
    script:
        "../workflow/scripts/costs.py"
