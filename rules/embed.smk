rule embed_images:
    input:
        manifest="results/{study}/manifest.parquet",
        encoder=weights,
        composing=of_composing("results/{study}/embeddings/{encoder}.parquet"),
    output:
        embeddings="results/{study}/embeddings/{encoder}.parquet",
    log:
        "logs/embed_images/{study}/{encoder}.log",
    benchmark:
        "benchmarks/results/embed_images/{study}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: cores
    resources:
        mem_mb=more(8000),
        runtime=240,
        # How, not what: none of these changes a vector, so none of them is tracked.
        device=PLAN.config["extraction"]["device"],
        batch_size=PLAN.config["extraction"]["batch_size"],
        shard_size=PLAN.config["extraction"]["shard_size"],
    params:
        settings=settings("embed_images"),
        code=code_version("embed_images.py"),
        libraries=encoder_libraries("embed_images.py"),
    message:
        "Embedding the images of {wildcards.study} with {wildcards.encoder}"
    script:
        "../workflow/scripts/embed_images.py"


# Never part of `all`: `make spread` asks for all parts of all studies, so that many jobs
# fill the store from which the rule above then takes its vectors.
rule embed_part:
    input:
        manifest="results/{study}/manifest.parquet",
        encoder=weights,
        composing=of_composing("results/{study}/parts/{encoder}/{part}of{parts}.json"),
    output:
        note="results/{study}/parts/{encoder}/{part}of{parts}.json",
    log:
        "logs/embed_part/{study}/{encoder}/{part}of{parts}.log",
    benchmark:
        "benchmarks/results/embed_part/{study}/{encoder}/{part}of{parts}.tsv"
    wildcard_constraints:
        part=r"[1-9][0-9]*",
        parts=r"[1-9][0-9]*",
    conda:
        "../envs/bakeoff.yaml"
    threads: cores
    resources:
        mem_mb=more(8000),
        runtime=240,
        device=PLAN.config["extraction"]["device"],
        batch_size=PLAN.config["extraction"]["batch_size"],
        shard_size=PLAN.config["extraction"]["shard_size"],
    params:
        settings=settings("embed_images"),
        code=code_version("embed_part.py"),
        libraries=encoder_libraries("embed_part.py"),
    message:
        "Embedding part {wildcards.part} of {wildcards.parts} of {wildcards.study} with {wildcards.encoder}"
    script:
        "../workflow/scripts/embed_part.py"


rule embed_texts:
    input:
        prompts=prompt_bank,
        manifest="results/{study}/manifest.parquet",
        encoder=weights,
    output:
        texts="results/{study}/texts/{encoder}.parquet",
    log:
        "logs/embed_texts/{study}/{encoder}.log",
    benchmark:
        "benchmarks/results/embed_texts/{study}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    threads: cores
    resources:
        mem_mb=more(8000),
        runtime=60,
        device=PLAN.config["extraction"]["device"],
    params:
        code=code_version("embed_texts.py"),
        libraries=encoder_libraries("embed_texts.py"),
    message:
        "Embedding the prompts of {wildcards.study} with {wildcards.encoder}"
    script:
        "../workflow/scripts/embed_texts.py"
