# The embedded demo: images made on the spot, and the tiny encoders that ship with it.


rule demo_activities:
    message:
        "Draw the demo's activity images"
    output:
        # The images lie beside it, in results/demo/activities/, replaced as a whole.
        listing="results/demo/activities.csv",
    log:
        "logs/demo/demo_activities.log",
    conda:
        "../envs/bakeoff.yaml"
    params:
        settings=settings("demo_activities"),
        code=code_version("demo_activities.py"),
    resources:
        mem_mb=1000,
    script:
        "../workflow/scripts/demo_activities.py"


rule demo_otoliths:
    message:
        "Draw the demo's synthetic otoliths"
    output:
        # The images lie beside it, in results/demo/otoliths/, replaced as a whole.
        listing="results/demo/otoliths.csv",
    log:
        "logs/demo/demo_otoliths.log",
    conda:
        "../envs/bakeoff.yaml"
    params:
        settings=settings("demo_otoliths"),
        code=code_version("demo_otoliths.py"),
    resources:
        mem_mb=1000,
    script:
        "../workflow/scripts/demo_otoliths.py"


# Never part of a target: what it makes is shipped in resources/encoders/, folder by
# folder. `snakemake --cores 2 demo_encoders` trains the encoders anew.
rule demo_encoders:
    message:
        "Train the demo's encoders, which takes half an hour"
    output:
        cards=expand(
            "results/demo/encoders/{encoder}/encoder.json",
            encoder=["tiny-clip", "tiny-siglip", "tiny-random"],
        ),
    log:
        "logs/demo/demo_encoders.log",
    conda:
        "../envs/bakeoff.yaml"
    params:
        code=code_version("demo_encoders.py"),
    threads: 2
    resources:
        mem_mb=4000,
        runtime=90,
    script:
        "../workflow/scripts/demo_encoders.py"
