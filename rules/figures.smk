# Each figure is a target of its own, drawn from saved tables and from nothing else.


rule figure_accuracy:
    input:
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
    output:
        svg=report(
            "results/{study}/figures/accuracy.svg",
            caption="../workflow/report/accuracy.rst",
            category="{study}",
            labels={"figure": "Accuracy"},
        ),
        png="results/{study}/figures/accuracy.png",
    log:
        "logs/figures/{study}/accuracy.log",
    benchmark:
        "benchmarks/results/figures/{study}/accuracy.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_accuracy"),
        code=code_version("figure_accuracy.py"),
    message:
        "Drawing the accuracies of {wildcards.study}"
    script:
        "../workflow/scripts/figure_accuracy.py"


rule figure_differences:
    input:
        comparisons="results/{study}/comparisons.parquet",
    output:
        svg=report(
            "results/{study}/figures/differences.svg",
            caption="../workflow/report/differences.rst",
            category="{study}",
            labels={"figure": "Differences"},
        ),
        png="results/{study}/figures/differences.png",
    log:
        "logs/figures/{study}/differences.log",
    benchmark:
        "benchmarks/results/figures/{study}/differences.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_differences"),
        code=code_version("figure_differences.py"),
    message:
        "Drawing the differences of {wildcards.study}"
    script:
        "../workflow/scripts/figure_differences.py"


rule figure_probabilities:
    input:
        comparisons="results/{study}/comparisons.parquet",
    output:
        svg=report(
            "results/{study}/figures/probabilities.svg",
            caption="../workflow/report/probabilities.rst",
            category="{study}",
            labels={"figure": "Probabilities"},
        ),
        png="results/{study}/figures/probabilities.png",
    log:
        "logs/figures/{study}/probabilities.log",
    benchmark:
        "benchmarks/results/figures/{study}/probabilities.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_probabilities"),
        code=code_version("figure_probabilities.py"),
    message:
        "Drawing the probabilities of {wildcards.study}"
    script:
        "../workflow/scripts/figure_probabilities.py"


rule figure_classes:
    input:
        comparisons="results/{study}/comparisons.parquet",
    output:
        svg=report(
            "results/{study}/figures/classes/{protocol}/{method}.svg",
            caption="../workflow/report/classes.rst",
            category="{study}",
            labels={
                "figure": "Classes",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/classes/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/classes/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/classes/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_classes"),
        code=code_version("figure_classes.py"),
    message:
        "Drawing the classes of {wildcards.study}"
    script:
        "../workflow/scripts/figure_classes.py"


rule figure_confusion:
    input:
        predictions=of_encoders(
            "results/{study}/predictions/{protocol}/{method}/{encoder}.parquet"
        ),
    output:
        svg=report(
            "results/{study}/figures/confusion/{protocol}/{method}.svg",
            caption="../workflow/report/confusion.rst",
            category="{study}",
            labels={
                "figure": "Confusion",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/confusion/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/confusion/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/confusion/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_confusion"),
        code=code_version("figure_confusion.py"),
    message:
        "Drawing the confusions of {wildcards.study}"
    script:
        "../workflow/scripts/figure_confusion.py"


rule figure_ages:
    input:
        predictions=of_encoders(
            "results/{study}/predictions/{protocol}/{method}/{encoder}.parquet"
        ),
    output:
        svg=report(
            "results/{study}/figures/ages/{protocol}/{method}.svg",
            caption="../workflow/report/ages.rst",
            category="{study}",
            labels={
                "figure": "Age bias",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/ages/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/ages/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/ages/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_ages"),
        code=code_version("figure_ages.py"),
    message:
        "Drawing the age bias of {wildcards.study}"
    script:
        "../workflow/scripts/figure_ages.py"
