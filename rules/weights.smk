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
    message:
        "Fetching the weights of {wildcards.encoder}"
    script:
        "../workflow/scripts/fetch_weights.py"
