"""Makes tests/golden/tables/: the calls of tests/golden/inputs/calls.csv as other tools write them.

Run with pandas and pyarrow installed, from the repository's root:

    python tests/golden/make_tables.py

same_* hold the same calls, so that what is read from them must be what is read from calls.csv. The
tables of R are written here as its write.table writes them (a header without the row names, texts in
quotes, NA without), and those of bcftools as `query -H` writes them. expected.tsv says what svlen,
svtype and chrom are in missing_*: NaN where there is a number that is none, "-" where there is
nothing. arrow.stream and feather.arrow are tables of other forms, which are refused by name.
"""

import decimal
import gzip
import json
import pathlib

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
ROOT = HERE / "tables"


def r_table(frame, separator, quote=True):
    """write.table(frame, sep=separator, qmethod="double"): row names, a header that lacks theirs."""
    def cell(value):
        if value is None:
            return "NA"
        text = str(value)
        return '"' + text.replace('"', '""') + '"' if quote and isinstance(value, str) else text
    lines = [separator.join(cell(name) for name in frame.columns)]
    for number, row in enumerate(frame.itertuples(index=False), 1):
        cells = [cell(str(number))] + [cell(value) for value in row]
        lines.append(separator.join(cells))
    return "\n".join(lines) + "\n"


def same(frame):
    (ROOT / "same_r_tabs.tsv").write_text(r_table(frame, "\t"))
    (ROOT / "same_r_spaces.txt").write_text(r_table(frame, " "))
    upper = frame.rename(columns=str.upper).rename(columns={"TRUVARI_CLASS": "truvari_class"})
    upper.to_csv(ROOT / "same_upper.csv", index=False)
    names = ["CHROM", "POS", "INFO/SVTYPE", "SVLEN", "truvari_class", "dataset", "ID"]
    header = "#" + "\t".join(f"[{at}]{name}" for at, name in enumerate(names, 1))
    body = frame.to_csv(sep="\t", index=False, header=False)
    (ROOT / "same_bcftools.tsv").write_text(header + "\n" + body)
    text = frame.rename(columns={"chrom": "#chrom"}).to_csv(sep="\t", index=False,
                                                           lineterminator="\r\n")
    comments = "## made by hand\r\n# truth: none\r\n\r\n"
    (ROOT / "same_comments.tsv").write_bytes((comments + text).encode())
    packed = gzip.compress(frame.to_csv(index=False).encode(), mtime=0)
    (ROOT / "same_padded.csv.gz").write_bytes(packed + bytes(1000))
    lines = []
    for number, call in enumerate(frame.to_dict("records")):
        extra = {"af": [float("nan"), float("inf"), float("-inf"), 0.25][number % 4],
                 "nested": {"NaN": [float("nan"), "NaN, Infinity"]}, "text": "a \" NaN, -Infinity"}
        lines.append(json.dumps({**extra, **call, "after": float("-inf")}))
    (ROOT / "same_python.jsonl").write_text("\n".join(lines) + "\n")
    types = frame.copy()
    spelled = {"DEL": ["del", "<DEL>", "DEL "], "INS": ["<ins>", "INS", " Ins"], "DUP": ["dup", "DUP", "<DUP>"]}
    types["svtype"] = [spelled[svtype][row % 3] for row, svtype in enumerate(frame["svtype"])]
    types.to_csv(ROOT / "same_types.csv", index=False)


def parquet(frame):
    frame.to_parquet(ROOT / "same_brotli.parquet", index=False, compression="brotli")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    plain = dict(use_dictionary=False, compression="none")

    def with_columns(**columns):
        made = table
        for name, values in columns.items():
            made = made.set_column(made.schema.get_field_index(name), name, values)
        return made
    exact = [decimal.Decimal(int(n)) for n in frame["pos"]]
    short = [decimal.Decimal(int(n)) for n in frame["svlen"]]
    for name, types, options in [
        ("fixed", (pa.decimal128(38, 0), pa.decimal128(5, 0)), {}),
        ("integers", (pa.decimal128(18, 0), pa.decimal128(9, 0)), {"store_decimal_as_integer": True}),
        ("wide", (pa.decimal256(60, 0), pa.decimal256(40, 0)), {}),
    ]:
        made = with_columns(pos=pa.array(exact, types[0]), svlen=pa.array(short, types[1]))
        pq.write_table(made, ROOT / f"same_decimal_{name}.parquet", **plain, **options)
    odd = frame.copy()
    odd["pos"] = odd["pos"].astype("Int64")
    odd["svlen"] = odd["svlen"].astype("Int32")
    odd["svtype"] = odd["svtype"].astype("category")
    odd = pa.Table.from_pandas(odd, preserve_index=False)
    odd = odd.set_column(0, "chrom", odd["chrom"].cast(pa.large_string()))
    count = len(frame)
    odd = odd.append_column("nothing", pa.nulls(count))
    odd = odd.append_column("when", pa.array([1] * count, pa.timestamp("us", tz="UTC")))
    odd = odd.append_column("list", pa.array([[1, 2]] * count))
    odd = odd.append_column("struct", pa.array([{"pos": 1, "id": "a"}] * count))
    odd = odd.append_column("map", pa.array([[("id", 1)]] * count, pa.map_(pa.string(), pa.int8())))
    odd = odd.append_column("interval", pa.array([b"123456789012"] * count, pa.binary(12)))
    pq.write_table(odd, ROOT / "same_odd.parquet")


def missing():
    """Numbers and texts that are missing, as each tool writes that."""
    rows = [("NA", "-", "DEL"), ("chr1", "12", "-"), ("-", "-", "INS"), ("chr2", "-3.5", "DEL")]
    (ROOT / "expected.tsv").write_text("chrom\tsvlen\tsvtype\n" + "".join("\t".join(row) + "\n" for row in rows))
    frame = pd.DataFrame(rows, columns=["chrom", "svlen", "svtype"])
    # A chromosome may be called NA; what is missing there is a point in every form.
    chrom = frame["chrom"].replace("-", ".")
    for name, text in [("points", "."), ("na", "NA"), ("empty", "")]:
        made = frame.replace("-", text)
        made["chrom"] = chrom
        made.to_csv(ROOT / f"missing_{name}.tsv", sep="\t", index=False)
    tenths = [None if n == "-" else decimal.Decimal(n) for n in frame["svlen"]]
    texts = {name: [None if v == "-" else v for v in frame[name]] for name in ["chrom", "svtype"]}
    table = pa.table({**texts, "svlen": pa.array(tenths, pa.decimal128(12, 3))})
    pq.write_table(table, ROOT / "missing_decimal.parquet")
    half = pa.array([None if n is None else float(n) for n in tenths], pa.float16())
    pq.write_table(table.set_column(2, "svlen", half), ROOT / "missing_half.parquet")


def refused(frame):
    table = pa.Table.from_pandas(frame[:1], preserve_index=False).replace_schema_metadata(None)
    with pa.ipc.new_stream(ROOT / "arrow.stream", table.schema) as stream:
        stream.write_table(table)
    pyarrow.feather.write_feather(table, ROOT / "feather.arrow")
    when = pa.table({"pos": pa.array([1] * 13, pa.timestamp("us"))})
    pq.write_table(when, ROOT / "when.parquet")
    nested = pa.table({"pos": pa.array([{"start": 1}] * 13)})
    pq.write_table(nested, ROOT / "nested.parquet")
    summed = pa.table({"svlen": pa.array([123456789, 2], pa.int64()), "truvari_class": ["TP", "FP"]})
    pq.write_table(summed, ROOT / "page_checksums.parquet", write_page_checksum=True, compression="none",
                   use_dictionary=False, write_statistics=False)


if __name__ == "__main__":
    ROOT.mkdir(exist_ok=True)
    for old in ROOT.iterdir():
        old.unlink()
    calls = pd.read_csv(HERE / "inputs" / "calls.csv").drop(columns="extra")
    same(calls)
    parquet(calls)
    missing()
    refused(calls)
