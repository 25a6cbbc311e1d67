# The only rule that touches the network. It runs on the login node of a cluster.
rule fetch_weights:
    output:
        encoder="resources/weights/{encoder}/encoder.json",
    log:
        "logs/fetch_weights/{encoder}.log",
    benchmark:
        "benchmarks/results/fetch_weights/{encoder}.tsv"
    retries: 2
    localrule: True
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=240,
    params:
        settings=settings("weights"),
        code=code_version("fetch_weights.py"),
        # What is fetched is pinned by its hash, whatever fetches it.
        libraries="",
    message:
        "Fetching the weights of {wildcards.encoder}"
    script:
        "../workflow/scripts/fetch_weights.py"


# An encoder of one's own in a plain folder: links to its files, and a description.
rule describe_weights:
    input:
        files=local_files,
    output:
        encoder="resources/local/{encoder}/encoder.json",
    log:
        "logs/describe_weights/{encoder}.log",
    benchmark:
        "benchmarks/results/describe_weights/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(8000),
        runtime=30,
    params:
        settings=settings("describe_weights"),
        code=code_version("describe_weights.py"),
        libraries=encoder_libraries("describe_weights.py"),
    message:
        "Describing {wildcards.encoder} from its folder"
    script:
        "../workflow/scripts/describe_weights.py"


# An encoder made of others: a description of its parts, or weights between theirs.
rule derive:
    input:
        parts=parts_weights,
    output:
        encoder="resources/derived/{encoder}/encoder.json",
    log:
        "logs/derive/{encoder}.log",
    benchmark:
        "benchmarks/results/derive/{encoder}.tsv"
    localrule: True
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(8000),
        runtime=60,
    params:
        settings=settings("derive"),
        code=code_version("derive.py"),
        libraries=encoder_libraries("derive.py"),
    message:
        "Making {wildcards.encoder} of others"
    script:
        "../workflow/scripts/derive.py"
