# All encoders of a study in one job that has the machine to itself: rates of different
# runs, or of a busy machine, do not compare.
rule costs:
    input:
        # Not ancient(), though any images would do: Snakemake then leaves this job out
        # where its own code changes together with what the manifest is made by.
        manifest="results/{study}/manifest.parquet",
        encoders=all_weights,
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
