# The embedded demo: images made on the spot, and the tiny encoders that ship with it.


rule demo_activities:
    output:
        # The images lie beside it, in results/demo/activities/, replaced as a whole.
        listing="results/demo/activities.csv",
    log:
        "logs/demo/demo_activities.log",
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=settings("demo_activities"),
        code=code_version("demo_activities.py"),
        libraries=libraries("demo_activities.py"),
    message:
        "Draw the demo's activity images"
    script:
        "../workflow/scripts/demo_activities.py"


rule demo_otoliths:
    output:
        # The images lie beside it, in results/demo/otoliths/, replaced as a whole.
        listing="results/demo/otoliths.csv",
    log:
        "logs/demo/demo_otoliths.log",
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=settings("demo_otoliths"),
        code=code_version("demo_otoliths.py"),
        libraries=libraries("demo_otoliths.py"),
    message:
        "Draw the demo's synthetic otoliths"
    script:
        "../workflow/scripts/demo_otoliths.py"


# Never part of a target: what it makes is shipped in resources/encoders/, folder by
# folder. `snakemake --cores 2 demo_encoders` trains the encoders anew.
rule demo_encoders:
    output:
        cards=expand(
            "results/demo/encoders/{encoder}/encoder.json",
            encoder=["tiny-clip", "tiny-siglip", "tiny-random"],
        ),
    log:
        "logs/demo/demo_encoders.log",
    conda:
        "../envs/bakeoff.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=90,
    params:
        code=code_version("demo_encoders.py"),
        libraries=libraries("demo_encoders.py"),
    message:
        "Train the demo's encoders, which takes half an hour"
    script:
        "../workflow/scripts/demo_encoders.py"
