# Each figure is a target of its own, drawn from saved tables and from nothing else.


rule figure_accuracy:
    input:
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
        baseline="results/{study}/baseline.parquet",
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
        libraries=libraries("figure_accuracy.py"),
    message:
        "Drawing the accuracies of {wildcards.study}"
    script:
        "../workflow/scripts/figure_accuracy.py"


rule figure_differences:
    input:
        comparisons="results/{study}/comparisons.parquet",
    output:
        svg=report(
            "results/{study}/figures/differences/{protocol}/{method}.svg",
            caption="../workflow/report/differences.rst",
            category="{study}",
            labels={
                "figure": "Differences",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/differences/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/differences/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/differences/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_differences"),
        code=code_version("figure_differences.py"),
        libraries=libraries("figure_differences.py"),
    message:
        "Drawing the differences of {wildcards.study}"
    script:
        "../workflow/scripts/figure_differences.py"


rule figure_probabilities:
    input:
        comparisons="results/{study}/comparisons.parquet",
    output:
        svg=report(
            "results/{study}/figures/probabilities/{protocol}/{method}.svg",
            caption="../workflow/report/probabilities.rst",
            category="{study}",
            labels={
                "figure": "Probabilities",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/probabilities/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/probabilities/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/probabilities/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_probabilities"),
        code=code_version("figure_probabilities.py"),
        libraries=libraries("figure_probabilities.py"),
    message:
        "Drawing the probabilities of {wildcards.study}"
    script:
        "../workflow/scripts/figure_probabilities.py"


rule figure_classes:
    input:
        comparisons="results/{study}/comparisons.parquet",
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet", most=1),
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
        libraries=libraries("figure_classes.py"),
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
        libraries=libraries("figure_confusion.py"),
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
        libraries=libraries("figure_ages.py"),
    message:
        "Drawing the age bias of {wildcards.study}"
    script:
        "../workflow/scripts/figure_ages.py"


rule figure_confusion_difference:
    input:
        predictions=of_encoders(
            "results/{study}/predictions/{protocol}/{method}/{encoder}.parquet",
            most=2,
        ),
    output:
        svg=report(
            "results/{study}/figures/confusion_difference/{protocol}/{method}.svg",
            caption="../workflow/report/confusion_difference.rst",
            category="{study}",
            labels={
                "figure": "Confusion, difference",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/confusion_difference/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/confusion_difference/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/confusion_difference/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_confusion_difference"),
        code=code_version("figure_confusion_difference.py"),
        libraries=libraries("figure_confusion_difference.py"),
    message:
        "Drawing the different confusions of {wildcards.study}"
    script:
        "../workflow/scripts/figure_confusion_difference.py"


rule figure_qualitative:
    input:
        manifest="results/{study}/manifest.parquet",
        predictions=of_encoders(
            "results/{study}/predictions/{protocol}/{method}/{encoder}.parquet",
            most=2,
        ),
    output:
        svg=report(
            "results/{study}/figures/qualitative/{protocol}/{method}.svg",
            caption="../workflow/report/qualitative.rst",
            category="{study}",
            labels={
                "figure": "Qualitative",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/qualitative/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/qualitative/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/qualitative/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_qualitative"),
        code=code_version("figure_qualitative.py"),
        libraries=libraries("figure_qualitative.py"),
    message:
        "Drawing the chosen images of {wildcards.study}"
    script:
        "../workflow/scripts/figure_qualitative.py"


rule figure_disputes:
    input:
        manifest="results/{study}/manifest.parquet",
        predictions=of_encoders(
            "results/{study}/predictions/{protocol}/{method}/{encoder}.parquet"
        ),
    output:
        svg=report(
            "results/{study}/figures/disputes/{protocol}/{method}.svg",
            caption="../workflow/report/disputes.rst",
            category="{study}",
            labels={
                "figure": "Disputed labels",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/disputes/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/disputes/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/disputes/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_disputes"),
        code=code_version("figure_disputes.py"),
        libraries=libraries("figure_disputes.py"),
    message:
        "Drawing the disputed labels of {wildcards.study}"
    script:
        "../workflow/scripts/figure_disputes.py"


rule figure_reliability:
    input:
        predictions=of_encoders(
            "results/{study}/predictions/{protocol}/{method}/{encoder}.parquet"
        ),
    output:
        svg=report(
            "results/{study}/figures/reliability/{protocol}/{method}.svg",
            caption="../workflow/report/reliability.rst",
            category="{study}",
            labels={
                "figure": "Reliability",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/reliability/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/reliability/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/reliability/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_reliability"),
        code=code_version("figure_reliability.py"),
        libraries=libraries("figure_reliability.py"),
    message:
        "Drawing the reliability of {wildcards.study}"
    script:
        "../workflow/scripts/figure_reliability.py"


rule figure_tradeoff:
    input:
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
        costs="results/{study}/costs.parquet",
    output:
        svg=report(
            "results/{study}/figures/tradeoff/{protocol}/{method}.svg",
            caption="../workflow/report/tradeoff.rst",
            category="{study}",
            labels={
                "figure": "Trade-off",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/tradeoff/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/tradeoff/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/tradeoff/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_tradeoff"),
        code=code_version("figure_tradeoff.py"),
        libraries=libraries("figure_tradeoff.py"),
    message:
        "Drawing the costs and accuracies of {wildcards.study}"
    script:
        "../workflow/scripts/figure_tradeoff.py"


rule figure_learning_curve:
    input:
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
        folds=folds_of_kind,
    output:
        svg=report(
            "results/{study}/figures/learning_curve/{kind}/{method}.svg",
            caption="../workflow/report/learning_curve.rst",
            category="{study}",
            labels={
                "figure": "Learning curve",
                "method": "{method}",
                "protocol": "{kind}",
            },
        ),
        png="results/{study}/figures/learning_curve/{kind}/{method}.png",
    log:
        "logs/figures/{study}/learning_curve/{kind}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/learning_curve/{kind}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_learning_curve"),
        code=code_version("figure_learning_curve.py"),
        libraries=libraries("figure_learning_curve.py"),
    message:
        "Drawing the learning curve of {wildcards.study}"
    script:
        "../workflow/scripts/figure_learning_curve.py"


rule figure_embedding_map:
    input:
        manifest="results/{study}/manifest.parquet",
        embeddings="results/{study}/embeddings/{encoder}.parquet",
    output:
        svg=report(
            "results/{study}/figures/embedding_map/{encoder}.svg",
            caption="../workflow/report/embedding_map.rst",
            category="{study}",
            labels={"figure": "Embeddings", "encoder": "{encoder}"},
        ),
        png="results/{study}/figures/embedding_map/{encoder}.png",
    log:
        "logs/figures/{study}/embedding_map/{encoder}.log",
    benchmark:
        "benchmarks/results/figures/{study}/embedding_map/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_embedding_map"),
        code=code_version("figure_embedding_map.py"),
        libraries=libraries("figure_embedding_map.py"),
    message:
        "Drawing the embeddings of {wildcards.study}"
    script:
        "../workflow/scripts/figure_embedding_map.py"


rule figure_resolution:
    input:
        metrics=of_encoders("results/{study}/metrics/{encoder}.parquet"),
        embeddings=of_encoders("results/{study}/embeddings/{encoder}.parquet"),
    output:
        svg=report(
            "results/{study}/figures/resolution/{protocol}/{method}.svg",
            caption="../workflow/report/resolution.rst",
            category="{study}",
            labels={
                "figure": "Resolution",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/resolution/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/resolution/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/resolution/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_resolution"),
        code=code_version("figure_resolution.py"),
        libraries=libraries("figure_resolution.py"),
    message:
        "Drawing the resolutions of {wildcards.study}"
    script:
        "../workflow/scripts/figure_resolution.py"


rule figure_settings:
    input:
        sensitivity=of_encoders("results/{study}/sensitivity/{encoder}.parquet"),
    output:
        svg=report(
            "results/{study}/figures/settings/{protocol}/{method}.svg",
            caption="../workflow/report/settings.rst",
            category="{study}",
            labels={
                "figure": "Settings",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/settings/{protocol}/{method}.png",
    log:
        "logs/figures/{study}/settings/{protocol}/{method}.log",
    benchmark:
        "benchmarks/results/figures/{study}/settings/{protocol}/{method}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        settings=settings("figure_settings"),
        code=code_version("figure_settings.py"),
        libraries=libraries("figure_settings.py"),
    message:
        "Drawing what the probe's setting decides of {wildcards.study}"
    script:
        "../workflow/scripts/figure_settings.py"


# Never part of `all`, as is the table behind it.
rule figure_prompts:
    input:
        prompts="results/{study}/prompt_lab/{protocol}/{encoder}/prompts.csv",
    output:
        svg=report(
            "results/{study}/figures/prompts/{protocol}/{encoder}.svg",
            caption="../workflow/report/prompts.rst",
            category="{study}",
            labels={
                "figure": "Prompts",
                "encoder": "{encoder}",
                "protocol": "{protocol}",
            },
        ),
        png="results/{study}/figures/prompts/{protocol}/{encoder}.png",
    log:
        "logs/figures/{study}/prompts/{protocol}/{encoder}.log",
    benchmark:
        "benchmarks/results/figures/{study}/prompts/{protocol}/{encoder}.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        code=code_version("figure_prompts.py"),
        libraries=libraries("figure_prompts.py"),
    message:
        "Drawing the prompts of {wildcards.study}"
    script:
        "../workflow/scripts/figure_prompts.py"


rule figure_critical_difference:
    input:
        ranks="results/across/{protocol}/{method}/{metric}/ranks.parquet",
    output:
        svg=report(
            "results/across/{protocol}/{method}/{metric}/critical_difference.svg",
            caption="../workflow/report/critical_difference.rst",
            category="Across studies",
            labels={
                "figure": "Critical difference",
                "method": "{method}",
                "protocol": "{protocol}",
            },
        ),
        png="results/across/{protocol}/{method}/{metric}/critical_difference.png",
    log:
        "logs/across/{protocol}/{method}/{metric}/critical_difference.log",
    benchmark:
        "benchmarks/results/across/{protocol}/{method}/{metric}/critical_difference.tsv"
    conda:
        "../envs/bakeoff.yaml"
    resources:
        mem_mb=more(2000),
        runtime=20,
    params:
        code=code_version("figure_critical_difference.py"),
        libraries=libraries("figure_critical_difference.py"),
    message:
        "Drawing the ranks over the studies by {wildcards.metric}"
    script:
        "../workflow/scripts/figure_critical_difference.py"
