# Which image-text encoder should I use on my images, and is the difference real?
#
#   snakemake --cores all                                    the embedded demo
#   snakemake --cores all --configfile my-study.yaml         your own images
#
# Images -> embeddings -> predictions -> metrics -> comparisons -> figures and a verdict:
# one file of rules per arrow, one script per rule, one library module behind each.
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

# The folder of this file, also where another Snakefile uses it as a module.
CODE = Path(workflow.current_basedir.get_path_or_uri(secret_free=False))
# The library that runs is the one beside this file, here and in every job: not that of
# another copy whose environment is shared.
sys.path.insert(0, str(CODE / "workflow/scripts"))

# A configuration given on the command line stands alone: it is not mixed with the demo.
if not workflow.configfiles:

    configfile: CODE / "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/demo.smk"
include: "rules/weights.smk"
include: "rules/data.smk"
include: "rules/finetune.smk"
include: "rules/embed.smk"
include: "rules/zeroshot.smk"
include: "rules/prompt_lab.smk"
include: "rules/probe.smk"
include: "rules/metrics.smk"
include: "rules/compare.smk"
include: "rules/costs.smk"
include: "rules/retrieve.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        expand("results/{study}/summary.html", study=PLAN.studies),
        expand("results/{study}/tables/results.csv", study=PLAN.studies),
        expand("results/{study}/provenance.json", study=PLAN.studies),
        of_spans("critical_difference.svg"),


# A page that this run makes again is old from now on, whatever becomes of the run.
onstart:
    if not workflow.touch:
        set_old_pages_aside(workflow.dag.needrun_jobs())


# The two steps of `make spread`. How many parts there are is read off the manifests, so
# these are made by a run of their own.
rule manifests:
    input:
        expand("results/{study}/manifest.parquet", study=PLAN.studies),


rule spread:
    input:
        parts,
