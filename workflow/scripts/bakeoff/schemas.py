"""The columns of every table: names, types, meaning and key.

The documentation page of the tables is generated from this file, and `tables` refuses
to write or read anything else. A change of meaning raises `VERSION`.
"""

from dataclasses import dataclass

import pyarrow as pa

VERSION = 1

# Few distinct values, many rows: stored once each.
_WORD = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Column:
    """One column: its name, Arrow type, meaning, and whether it may be null."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Schema:
    """One kind of table: what a row is, the columns that identify it, all columns."""

    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in their stored order."""
        return [column.name for column in self.columns]

    def arrow(self, dimension: int | None = None) -> pa.Schema:
        """The Arrow schema; `dimension` fills in the length of embedding vectors."""
        return pa.schema(
            pa.field(
                column.name,
                pa.list_(pa.float32(), dimension)
                if column.name == "embedding"
                else column.type,
                nullable=column.nullable,
            )
            for column in self.columns
        )


_EMBEDDING = Column(
    "embedding",
    pa.list_(pa.float32()),
    "the encoder's vector as it left the encoder, not normalised; fixed length",
)
_RUN = (
    Column("encoder", _WORD, "encoder id"),
    Column("method", _WORD, "probe id, or zeroshot"),
    Column("protocol", _WORD, "protocol id: how images were divided"),
)

SCHEMAS: dict[str, Schema] = {
    "manifest": Schema(
        "image",
        ("image_id",),
        (
            Column("image_id", pa.string(), "SHA-256 of the file's bytes"),
            Column("path", pa.string(), "file, relative to the folder of images"),
            Column("label", pa.string(), "class name, or the number as text"),
            Column("value", pa.float64(), "ordinal label as a number", True),
            Column("split", pa.string(), "train, test, or empty where not divided"),
            Column("group", pa.string(), "what must never straddle a split", True),
            Column("width", pa.int32(), "pixels, after EXIF rotation"),
            Column("height", pa.int32(), "pixels, after EXIF rotation"),
        ),
    ),
    "quarantine": Schema(
        "unreadable or refused image",
        ("path",),
        (
            Column("path", pa.string(), "file, relative to the folder of images"),
            Column("reason", pa.string(), "why it was refused, in words"),
        ),
    ),
    "embeddings": Schema(
        "image",
        ("image_id",),
        (Column("image_id", pa.string(), "SHA-256 of the file's bytes"), _EMBEDDING),
    ),
    "texts": Schema(
        "prompt",
        ("class", "template"),
        (
            Column("class", pa.string(), "class that the prompt speaks of"),
            Column("template", pa.int32(), "place of the prompt in its class's bank"),
            Column("text", pa.string(), "prompt as given to the tokenizer's rules"),
            _EMBEDDING,
        ),
    ),
    "folds": Schema(
        "image and repeat",
        ("image_id", "repeat"),
        (
            Column("image_id", pa.string(), "SHA-256 of the file's bytes"),
            Column("repeat", pa.int32(), "repetition of the division"),
            Column(
                "fold",
                pa.int32(),
                "k >= 0: tested in fold k and trained on in the others; "
                "-1: always trained on; -2: left out",
            ),
        ),
    ),
    "predictions": Schema(
        "image and run",
        ("encoder", "method", "protocol", "repeat", "fold", "image_id"),
        (
            Column("image_id", _WORD, "SHA-256 of the file's bytes"),
            Column("y_true", _WORD, "label"),
            Column("y_pred", _WORD, "predicted label"),
            Column("y_raw", pa.float64(), "prediction before rounding, ordinal", True),
            Column(
                "scores",
                pa.list_(pa.float32()),
                "one score per class, in the order of the metadata's classes",
                True,
            ),
            *_RUN,
            Column("repeat", pa.int32(), "repetition of the division"),
            Column("fold", pa.int32(), "fold in which the image was tested"),
            Column("seed", pa.int64(), "seed of the run"),
        ),
    ),
    "metrics": Schema(
        "value",
        ("study", "encoder", "method", "protocol", "repeat", "fold", "class", "metric"),
        (
            Column("study", _WORD, "study id"),
            *_RUN,
            Column("repeat", pa.int32(), "repetition; -1: over all repetitions"),
            Column("fold", pa.int32(), "fold; -1: over all folds of the repetition"),
            Column("class", _WORD, "class, or empty for all classes together"),
            Column("metric", _WORD, "metric id"),
            Column("value", pa.float64(), "the value; null where undefined", True),
            Column("numerator", pa.float64(), "of a share: the count above", True),
            Column("denominator", pa.float64(), "of a share: the count below", True),
        ),
    ),
    "refits": Schema(
        "unit and metric",
        ("encoder", "method", "protocol", "metric", "unit"),
        (
            *_RUN,
            Column("metric", _WORD, "metric id"),
            Column("unit", pa.string(), "image or group that is left out"),
            Column(
                "value",
                pa.float64(),
                "the metric over all repeats, trained and tested without the unit",
            ),
        ),
    ),
    "comparisons": Schema(
        "pair, metric and test",
        ("study", "method", "protocol", "metric", "class", "a", "b", "test"),
        (
            Column("study", _WORD, "study id; empty: over several studies"),
            Column("method", _WORD, "probe id, or zeroshot"),
            Column("protocol", _WORD, "protocol id"),
            Column("metric", _WORD, "metric id"),
            Column("class", _WORD, "class, or empty for all classes together"),
            Column("a", _WORD, "encoder; empty: all at once"),
            Column("b", _WORD, "encoder that it is compared with"),
            Column("test", _WORD, "test id"),
            Column("primary", pa.bool_(), "whether the verdict rests on this row"),
            Column("n", pa.int64(), "images, groups, runs or studies that count"),
            Column("images", pa.int64(), "distinct images that were tested", True),
            Column(
                "estimate",
                pa.float64(),
                "a minus b, in the metric's unit; of absolute values if zero is best",
                True,
            ),
            Column("ci_low", pa.float64(), "lower end of the interval", True),
            Column("ci_high", pa.float64(), "upper end of the interval", True),
            Column("confidence", pa.float64(), "level of the interval", True),
            Column("statistic", pa.float64(), "the test's statistic", True),
            Column("df", pa.float64(), "its degrees of freedom", True),
            Column("p", pa.float64(), "two-sided p-value", True),
            Column("p_adjusted", pa.float64(), "Holm-adjusted within its family", True),
            Column("band", pa.float64(), "half width of the equivalence band", True),
            Column("p_better", pa.float64(), "P(a better by more than the band)", True),
            Column("p_equivalent", pa.float64(), "P(within the band)", True),
            Column("p_worse", pa.float64(), "P(a worse by more than the band)", True),
            Column(
                "detectable", pa.float64(), "difference found 8 times out of 10", True
            ),
            Column(
                "verdict",
                _WORD,
                "better, equivalent, worse or inconclusive; refused: no test allowed; "
                "empty where the row is not primary",
            ),
            Column("note", pa.string(), "what a reader of this row must know", True),
        ),
    ),
    "ranks": Schema(
        "encoder and study",
        ("study", "encoder"),
        (
            Column("study", _WORD, "study id"),
            Column("encoder", _WORD, "encoder id"),
            Column("value", pa.float64(), "overall value of the deciding metric"),
            Column("rank", pa.float64(), "1 is best; equal values share a rank"),
        ),
    ),
    "variance": Schema(
        "source of variance",
        ("study", "method", "protocol", "metric", "design", "source"),
        (
            Column("study", _WORD, "study id"),
            Column("method", _WORD, "probe id, or zeroshot"),
            Column("protocol", _WORD, "protocol id"),
            Column("metric", _WORD, "metric id"),
            Column(
                "design",
                _WORD,
                "what was varied: encoders x folds, encoders x prompts, or seeds within "
                "encoders",
            ),
            Column("source", _WORD, "encoder, fold, prompt, seed, or residual"),
            Column("levels", pa.int64(), "how many there were; of the residual, cells"),
            Column("variance", pa.float64(), "component of variance, never below 0"),
            Column("sd", pa.float64(), "its square root, in the metric's own unit"),
            Column(
                "share", pa.float64(), "of the sum of the design's components", True
            ),
        ),
    ),
    "seeds": Schema(
        "pair of fine-tuned encoders and metric",
        ("study", "method", "protocol", "metric", "a", "b"),
        (
            Column("study", _WORD, "study id"),
            Column("method", _WORD, "probe id, or zeroshot"),
            Column("protocol", _WORD, "protocol id"),
            Column("metric", _WORD, "metric id"),
            Column("a", _WORD, "fine-tuned encoder, seeds left out of its id"),
            Column("b", _WORD, "fine-tuned encoder that it is compared with"),
            Column("seeds_a", pa.int64(), "seeds of a"),
            Column("seeds_b", pa.int64(), "seeds of b"),
            Column("mean_a", pa.float64(), "mean of the metric over the seeds of a"),
            Column("sd_a", pa.float64(), "its deviation over the seeds"),
            Column("mean_b", pa.float64(), "mean of the metric over the seeds of b"),
            Column("sd_b", pa.float64(), "its deviation over the seeds"),
            Column("p_better", pa.float64(), "P(a run of a is better than a run of b)"),
        ),
    ),
    "training": Schema(
        "step",
        ("step",),
        (
            Column("step", pa.int64(), "optimiser step, from 1"),
            Column("epoch", pa.float64(), "passes over the training images so far"),
            Column("loss", pa.float64(), "loss of the step"),
            Column("floor", pa.float64(), "lowest loss that the targets allow", True),
            Column("lr", pa.float64(), "learning rate"),
            Column("temperature", pa.float64(), "multiplier of the cosines"),
            Column("bias", pa.float64(), "bias of the sigmoid loss", True),
            Column("samples_per_s", pa.float64(), "images per second"),
            Column("drift", pa.float64(), "cosine of queued and fresh vectors", True),
            Column("grad_norm", pa.float64(), "norm of all gradients"),
            Column("grad_norm_image", pa.float64(), "of the image tower", True),
            Column("grad_norm_text", pa.float64(), "of the text tower", True),
            Column("memory_mb", pa.float64(), "peak memory so far", True),
            Column("seconds", pa.float64(), "wall-clock time since the start"),
        ),
    ),
    "costs": Schema(
        "encoder",
        ("encoder",),
        (
            Column("encoder", pa.string(), "encoder id"),
            Column("parameters", pa.int64(), "of both towers"),
            Column("parameters_image", pa.int64(), "of the image tower"),
            Column("gflops", pa.float64(), "of one image, two per multiply-add"),
            Column("images_per_s", pa.float64(), "from files to vectors"),
            Column("latency_ms", pa.float64(), "one image, median"),
            Column("peak_memory_mb", pa.float64(), "resident, or of the GPU"),
            Column("dimension", pa.int32(), "length of a vector"),
            Column("bytes", pa.int64(), "size of the weights on disk"),
            Column("device", pa.string(), "what it was measured on"),
            Column("precision", pa.string(), "arithmetic that it was measured in"),
        ),
    ),
}
