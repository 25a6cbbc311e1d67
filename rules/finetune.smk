# A fine-tuned encoder is an encoder like any other: a folder of weights that all other
# rules read. It is trained on the study's training images alone.


rule finetune:
    input:
        manifest="results/{study}/manifest.parquet",
        prompts=prompt_bank,
        encoder=base_weights,
    output:
        # The weights lie beside it; the folder is replaced as a whole.
        encoder="results/{study}/finetuned/{encoder}/encoder.json",
        training="results/{study}/training/{encoder}.parquet",
    log:
        "logs/finetune/{study}/{encoder}.log",
    benchmark:
        "benchmarks/results/finetune/{study}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: cores
    resources:
        mem_mb=more(16000),
        runtime=1440,
        device=PLAN.config["extraction"]["device"],
        # With `device: auto` a profile that has GPUs asks for one: finetune:gpu=1.
        gpu=int(PLAN.config["extraction"]["device"] == "cuda"),
    params:
        settings=settings("finetune"),
        code=code_version("finetune.py"),
        libraries=encoder_libraries("finetune.py"),
    message:
        "Fine-tuning {wildcards.encoder} on {wildcards.study}"
    script:
        "../workflow/scripts/finetune.py"


rule figure_training:
    input:
        training=trainings,
    output:
        svg=report(
            "results/{study}/figures/training.svg",
            caption="../workflow/report/training.rst",
            category="{study}",
            labels={"figure": "Fine-tuning"},
        ),
        png="results/{study}/figures/training.png",
    log:
        "logs/figures/{study}/training.log",
    benchmark:
        "benchmarks/results/figures/{study}/training.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_training"),
        code=code_version("figure_training.py"),
        libraries=libraries("figure_training.py"),
    message:
        "Drawing the fine-tuning of {wildcards.study}"
    script:
        "../workflow/scripts/figure_training.py"
