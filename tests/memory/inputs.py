"""Inputs that are small and claim, or unfold to, much: each is a function of a folder that returns arguments.
COHORT stands for embeddings and a model that the program simulates, and RESULTS for an analysis of them."""
import os
import struct

from forms import (BINARY, I32, I64, LIST, STRUCT, archive, column, counted, dictionary, fields, items, name, npy, number,
                   packed, parquet, plain, safetensors, tensor, text, torch, varint, whole)

MILLION = 1_000_000
CASES = {}
VCF = b"##fileformat=VCFv4.2\n"
LINE = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
TABLE = b"chrom\tpos\tid\tsvtype\tsvlen\ttruvari_class\n"


def case(function):
    CASES[function.__name__] = function
    return function


def analyze(at):
    return ["analyze", "-q", "--out", f"{at}/out", "--permutations", "20", "--bootstrap", "100"]


def benchmark(at, made, role=None):
    """The calls of a VCF, and of another of one call; or of that one, beside what says which rows there are."""
    few = [plain(f"{at}/{name}.vcf", (VCF + LINE + f"\n1\t{pos}\t.\tN\t<DEL>\t.\t.\tSVTYPE=DEL\n".encode(), 1))
           for name, pos in [("one", 7), ("two", 9)]]
    if role:
        return ["calls", "-q", "--tp", few[0], "--fp", few[1], role, made]
    return ["calls", "-q", "--tp", made, "--fp", few[0]]


# Tables.

@case
def csv_of_columns_without_names(at):
    return ["inspect", packed(f"{at}/a.csv.gz", (b"pos" + b"," * 100, 1), (b"," * 1000, 15_000), (b"\n", 1))]


@case
def csv_of_short_column_names(at):
    return ["inspect", packed(f"{at}/a.csv.gz", (b"pos", 1), (b",a", 7 * MILLION), (b"\n1\n", 1))]


@case
def csv_of_many_short_fields(at):
    return ["inspect", packed(f"{at}/a.csv.gz", (b"pos" + b",x" * 9 + b"\n", 1), (b"1" + b"," * 9 + b"\n", 6 * MILLION))]


@case
def csv_of_empty_calls(at):
    return ["inspect", packed(f"{at}/a.csv.gz", (b"pos,id\n", 1), (b",\n", 30 * MILLION))]


@case
def csv_of_empty_calls_for_calls_rows_are(at):
    made = packed(f"{at}/a.tsv.gz", (TABLE, 1), (b"chr1\t1\ta\tDEL\t-50\tTP\n", 4 * MILLION))
    return benchmark(at, made, "--rows-are")


@case
def tsv_of_ids_of_63_letters(at):
    return ["inspect", packed(f"{at}/a.tsv.gz", (b"id\tpos\n", 1), (b"x" * 63 + b"\t1\n", 4 * MILLION))]


@case
def tsv_of_ids_of_8000_letters(at):
    return ["inspect", packed(f"{at}/a.tsv.gz", (b"id\tpos\n", 1), (b"x" * 8000 + b"\t1\n", 30_000))]


@case
def csv_of_distinct_short_ids(at):
    return ["inspect", counted(f"{at}/a.csv.gz", 4 * MILLION, "%x\n", b"id\n", pack=True)]


@case
def csv_of_distinct_chromosomes(at):
    return ["inspect", counted(f"{at}/a.csv.gz", 4 * MILLION, "%x\n", b"chrom\n", pack=True)]


@case
def csv_plain_of_distinct_chromosomes(at):
    return ["inspect", counted(f"{at}/a.csv", 4 * MILLION, "%x\n", b"chrom\n")]


@case
def csv_of_distinct_everything(at):
    head = b"chrom,svtype,truvari_class,dataset,reason\n"
    return ["inspect", distinct(f"{at}/a.csv.gz", head, 5, MILLION)]


def distinct(path, head, columns, rows):
    import gzip
    with gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) as out:
        out.write(head)
        for first in range(0, rows, 10000):
            out.write("".join(",".join(["%x" % n] * columns) + "\n" for n in range(first, first + 10000)).encode())
    return path


@case
def csv_of_floats_for_positions(at):
    return ["inspect", packed(f"{at}/a.csv.gz", (b"pos,svlen\n", 1), (b".5,.5\n", 8 * MILLION))]


@case
def csv_of_an_open_quote(at):
    return ["inspect", packed(f"{at}/a.csv.gz", (b"id,pos\n\"", 1), (b"x" * 1000, 60_000))]


@case
def csv_of_class_columns(at):
    made = packed(f"{at}/a.csv.gz", (b"pos", 1), (b"".join(b",c%d" % n for n in range(2000)) + b"\n", 1),
                  (b"1" + b",x" * 2000 + b"\n", 15_000))
    return ["inspect", made]


@case
def json_lines_of_an_unread_list(at):
    return ["inspect", packed(f"{at}/a.jsonl.gz", (b'{"pos":1,"a":[0', 1), (b",0", 7 * MILLION), (b"]}\n", 1))]


@case
def json_lines_of_an_unread_text(at):
    return ["inspect", packed(f"{at}/a.jsonl.gz", (b'{"pos":1,"a":"', 1), (b"\\n", 7 * MILLION), (b'"}\n', 1))]


@case
def json_lines_of_an_unread_object(at):
    return ["inspect", packed(f"{at}/a.jsonl.gz", (b'{"pos":1,"a":{"":0', 1), (b',"":0', 3 * MILLION), (b"}}\n", 1))]


@case
def json_lines_of_one_key_often(at):
    return ["inspect", packed(f"{at}/a.jsonl.gz", (b'{"pos":1', 1), (b',"":0', 3 * MILLION), (b"}\n", 1))]


@case
def json_lines_of_many_keys(at):
    keys = b"".join(b',"k%d":0' % n for n in range(3900))
    return ["inspect", packed(f"{at}/a.jsonl.gz", (b'{"pos":1' + keys + b"}\n", 1500))]


@case
def json_lines_of_empty_objects(at):
    return ["inspect", packed(f"{at}/a.jsonl.gz", (b'{"pos":1}\n', 1), (b"{}\n", 20 * MILLION))]


@case
def json_lines_of_escaped_ids(at):
    return ["inspect", packed(f"{at}/a.jsonl.gz", (b'{"id":"' + b"\\u0041" * 60 + b'"}\n', 300_000))]


@case
def json_lines_deep(at):
    return ["inspect", packed(f"{at}/a.jsonl.gz", (b'{"pos":1,"a":', 1), (b"[", 14 * MILLION), (b"\n", 1))]


@case
def gzip_of_zeros(at):
    return ["inspect", packed(f"{at}/a.csv.gz", (b"\0" * 1000, 200_000))]


@case
def gzip_of_empty_members(at):
    import gzip
    return ["inspect", plain(f"{at}/a.csv.gz", (gzip.compress(b"pos\n1\n"), 1), (gzip.compress(b""), 500_000))]


# VCF and BED.

@case
def vcf_of_contigs(at):
    made = counted(f"{at}/a.vcf.gz", 2 * MILLION, "##contig=<ID=%x,length=9>\n", VCF, pack=True)
    with __import__("gzip").open(made, "ab") as out:
        out.write(LINE + b"\n")
    return benchmark(at, made)


@case
def vcf_of_short_calls(at):
    made = packed(f"{at}/a.vcf.gz", (VCF + LINE + b"\n", 1), (b"1\t1\t.\tN\t<DEL>\t.\t.\tSVLEN=-50\n", 3 * MILLION))
    return benchmark(at, made)


@case
def vcf_of_one_id(at):
    made = packed(f"{at}/a.vcf.gz", (VCF + LINE + b"\n", 1),
                  (b"1\t1\t" + b"x" * 60 + b"\tN\t<DEL>\t.\t.\tSVTYPE=DEL;SVLEN=-50\n", 2 * MILLION))
    return benchmark(at, made)


@case
def vcf_of_a_long_info(at):
    made = packed(f"{at}/a.vcf.gz", (VCF + LINE + b"\n1\t1\t.\tN\t<DEL>\t.\t.\tA", 1), (b";A", 7 * MILLION), (b"\n", 1))
    return benchmark(at, made)


@case
def vcf_of_many_alleles(at):
    made = packed(f"{at}/a.vcf.gz", (VCF + LINE + b"\n1\t1\t.\tN\t<DEL>", 1), (b",A", 7 * MILLION), (b"\t.\t.\t.\n", 1))
    return benchmark(at, made)


@case
def vcf_of_samples(at):
    made = packed(f"{at}/a.vcf.gz", (VCF + LINE + b"\tFORMAT", 1), (b"\ts", 7 * MILLION), (b"\n", 1))
    return benchmark(at, made)


@case
def vcf_of_long_alleles(at):
    made = packed(f"{at}/a.vcf.gz", (VCF + LINE + b"\n", 1), (b"1\t1\t.\tN\tN" + b"A" * 100_000 + b"\t.\t.\t.\n", 2000))
    return benchmark(at, made)


@case
def vcf_that_was_embedded(at):
    made = packed(f"{at}/a.vcf.gz", (VCF + LINE + b"\n", 1), (b"1\t1\t.\tN\t<DEL>\t.\t.\tSVTYPE=DEL\n", 3 * MILLION))
    return benchmark(at, made, "--rows-are")


@case
def list_of_ids(at):
    return benchmark(at, packed(f"{at}/ids.txt.gz", (b"x" * 60 + b"\n", 3 * MILLION)), "--rows-are")


@case
def bed_of_many_rows(at):
    made = packed(f"{at}/a.bed.gz", (b"1\t0\t9\n1\t20\t29\n", 4 * MILLION))
    return [*analyze(at), "--embeddings", "COHORT/embeddings.pt", "--model", "COHORT", "--regions", made]


@case
def bed_of_names(at):
    made = counted(f"{at}/a.bed.gz", MILLION, "1\t0\t9\t%x\n", pack=True)
    return [*analyze(at), "--embeddings", "COHORT/embeddings.pt", "--model", "COHORT", "--regions", made,
            "--regions-by", "name"]


@case
def labels_of_atoms(at):
    made = plain(f"{at}/labels.tsv", (b"atom\tname\n", 1), (b"1\tx\n", 4 * MILLION))
    return [*analyze(at), "--embeddings", "COHORT/embeddings.pt", "--model", "COHORT", "--labels", made]


# Pickles.

@case
def pickle_of_lists(at):
    return ["inspect", torch(f"{at}/a.pt", (b"\x80\x02(", 1), (b"]", 60 * MILLION), (b"l.", 1))]


@case
def pickle_of_lists_plain(at):
    return ["inspect", plain(f"{at}/a.pkl", (b"\x80\x02(", 1), (b"]", 40 * MILLION), (b"l.", 1))]


@case
def pickle_of_memos(at):
    return ["inspect", torch(f"{at}/a.pt", (b"\x80\x04", 1), (b"]\x940", 20 * MILLION), (b"N.", 1))]


@case
def pickle_of_marks(at):
    return ["inspect", torch(f"{at}/a.pt", (b"\x80\x02", 1), (b"(", 60 * MILLION), (b"N.", 1))]


@case
def pickle_of_copies(at):
    return ["inspect", torch(f"{at}/a.pt", (b"\x80\x02(N", 1), (b"2", 60 * MILLION), (b"l.", 1))]


@case
def pickle_of_objects(at):
    return ["inspect", torch(f"{at}/a.pt", (b"\x80\x02(ccollections\nOrderedDict\n", 1), (b"2)R0", 15 * MILLION), (b"l.", 1))]


@case
def pickle_of_names(at):
    import zipfile
    path = f"{at}/a.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        with out.open("archive/data.pkl", "w") as entry:
            entry.write(b"\x80\x02")
            for first in range(0, 4 * MILLION, 10000):
                entry.write("".join("c\n%x\n0" % n for n in range(first, first + 10000)).encode())
            entry.write(b"N.")
        out.writestr("archive/version", "3\n")
    return ["inspect", path]


@case
def pickle_of_far_memos(at):
    import zipfile
    path = f"{at}/a.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        with out.open("archive/data.pkl", "w") as entry:
            entry.write(b"\x80\x02N")
            for first in range(0, 2 * MILLION, 10000):
                entry.write(b"".join(b"r" + struct.pack("<I", n * 100 + 99) for n in range(first, first + 10000)))
            entry.write(b".")
        out.writestr("archive/version", "3\n")
    return ["inspect", path]


@case
def pickle_of_single_appends(at):
    two = b"\x80\x02]q\0]q\x010"
    return ["inspect", torch(f"{at}/a.pt", (two, 1), (b"Nah\x01Na0", 8 * MILLION), (b".", 1))]


@case
def pickle_of_one_call_often(at):
    keys = b"".join(text(f"key{n}") + b"N" for n in range(20))
    call = b"}(" + text("pos") + whole(5) + text("svtype") + text("DEL") + keys + b"uq\0"
    return torch_calls(f"{at}/a.pt", [(b"\x80\x02}(" + text("sv_info") + b"](" + call, 1), (b"h\0", 10 * MILLION), (b"eu.", 1)])


@case
def pickle_of_one_call_of_4000_keys(at):
    keys = b"".join(text(f"key{n}") + b"N" for n in range(4000))
    call = b"}(" + keys + text("pos") + whole(5) + b"uq\0"
    return torch_calls(f"{at}/a.pt", [(b"\x80\x02}(" + text("sv_info") + b"](" + call, 1), (b"h\0", 2 * MILLION), (b"eu.", 1)])


@case
def pickle_of_columns_of_one_text(at):
    column = b"](" + text("x" * 200) + b"q\0"
    return torch_calls(f"{at}/a.pt", [(b"\x80\x02}(" + text("sv_info") + b"}(" + text("id") + column, 1),
                                      (b"h\0", 15 * MILLION), (b"euu.", 1)])


def torch_calls(path, pickle):
    return ["inspect", torch(path, *pickle)]


@case
def pickle_of_strings_with_escapes(at):
    return ["inspect", plain(f"{at}/a.pkl", (b"\x80\x02(", 1), (b"S'\\xff\\xff\\xff'\n", 3 * MILLION), (b"l.", 1))]


@case
def pickle_of_empty_tuples_in_tuples(at):
    return ["inspect", torch(f"{at}/a.pt", (b"\x80\x02)", 1), (b"\x85", 60 * MILLION), (b".", 1))]


# Arrays.

@case
def npy_of_rows_without_numbers(at):
    return [*analyze(at), "--model", "COHORT", "--embeddings", npy(f"{at}/a.npy", (1 << 40, 0))]


@case
def npy_of_a_claimed_shape(at):
    return [*analyze(at), "--model", "COHORT", "--embeddings", npy(f"{at}/a.npy", (1 << 40, 4), (b"\0" * 16, 100))]


@case
def npz_of_zeros(at):
    head = str({"descr": "<f4", "fortran_order": False, "shape": (40 * MILLION, 4)}).encode().ljust(117) + b"\n"
    made = archive(f"{at}/a.npz", {"embeddings.npy": [(b"\x93NUMPY\x01\x00v\x00" + head, 1), (b"\0" * 16000, 40_000)]})
    table = packed(f"{at}/a.csv.gz", (b"pos,truvari_class\n", 1), (b"1,TP\n", 40 * MILLION))
    return [*analyze(at), "--model", "COHORT", "--embeddings", made, "--metadata", table]


@case
def rows_of_stride_zero(at):
    rows = 1 << 33
    info = dictionary(truvari_class=text("TP"), pos=whole(1))
    made = torch(f"{at}/a.pt", (b"\x80\x02" + dictionary(embeddings=tensor("0", 8, (rows, 8), (0, 1)), sv_info=info) + b".", 1),
                 storages={"0": [(b"\0" * 32, 1)]})
    return [*analyze(at), "--model", "COHORT", "--embeddings", made]


@case
def rows_of_stride_zero_with_calls(at):
    rows = 10 * MILLION
    call = b"}(" + text("truvari_class") + text("TP") + b"uq\0"
    pickle = [(b"\x80\x02}(" + text("embeddings") + tensor("0", 8, (rows, 8), (0, 1)) + text("sv_info") + b"](" + call, 1),
              (b"h\0", rows - 1), (b"eu.", 1)]
    made = torch(f"{at}/a.pt", *pickle, storages={"0": [(b"\0" * 32, 1)]})
    return [*analyze(at), "--model", "COHORT", "--embeddings", made]


@case
def tally_of_rows_of_stride_zero(at):
    rows = 10 * MILLION
    call = b"}(" + text("truvari_class") + text("TP") + text("id") + text("x" * 5000) + b"uq\0"
    pickle = [(b"\x80\x02}(" + text("embeddings") + tensor("0", 8, (rows, 8), (0, 1)) + text("sv_info") + b"](" + call, 1),
              (b"h\0", rows - 1), (b"eu.", 1)]
    made = torch(f"{at}/a.pt", *pickle, storages={"0": [(b"\0" * 32, 1)]})
    return ["tally", "-q", "--fires", "--model", "COHORT", "--out", f"{at}/a.tally", "--embeddings", made]


@case
def model_of_stride_zero(at):
    atoms = 1 << 24
    weights = dictionary(**{"encoder.weight": tensor("0", 8, (atoms, 8), (0, 1)), "encoder.bias": tensor("0", 8, (atoms,), (0,))})
    mean = b"](" + b"G" + struct.pack(">d", 1.0) * 1 + b"".join(b"G" + struct.pack(">d", 1.0) for _ in range(7)) + b"e"
    config = dictionary(input_dim=whole(8), feature_dim=whole(atoms), k=whole(4), mu=mean, std=mean)
    made = torch(f"{at}/sae.pt", (b"\x80\x02" + dictionary(config=config, model_state_dict=weights) + b".", 1),
                 storages={"0": [(b"\0" * 32, 1)]})
    return [*analyze(at), "--model", made, "--embeddings", "COHORT/embeddings.pt"]


@case
def model_of_compressed_zeros(at):
    atoms = 1 << 22
    weights = dictionary(**{"encoder.weight": tensor("0", atoms * 8, (atoms, 8), (8, 1)), "encoder.bias": tensor("1", atoms, (atoms,), (1,))})
    mean = b"](" + b"".join(b"G" + struct.pack(">d", 1.0) for _ in range(8)) + b"e"
    config = dictionary(input_dim=whole(8), feature_dim=whole(atoms), k=whole(4), mu=mean, std=mean)
    made = torch(f"{at}/sae.pt", (b"\x80\x02" + dictionary(config=config, model_state_dict=weights) + b".", 1),
                 storages={"0": [(b"\0" * 32, atoms)], "1": [(b"\0" * 4, atoms)]})
    return ["convert", "-q", made, "--out", f"{at}/sae.safetensors"]


@case
def model_config_deep(at):
    os.makedirs(f"{at}/m")
    plain(f"{at}/m/cfg.json", (b'{"d_in":4,"d_sae":8,"k":2,"a":', 1), (b"[", 50 * MILLION))
    safetensors(f"{at}/m/sae_weights.safetensors", {"W_enc": {"dtype": "F32", "shape": [4, 8], "data_offsets": [0, 128]}}, (b"\0", 128))
    return ["inspect", f"{at}/m"]


@case
def model_config_of_lists(at):
    os.makedirs(f"{at}/m")
    plain(f"{at}/m/cfg.json", (b'{"d_in":4,"d_sae":8,"k":2,"a":[0', 1), (b",[]", 15 * MILLION), (b"]}", 1))
    safetensors(f"{at}/m/sae_weights.safetensors", {"W_enc": {"dtype": "F32", "shape": [4, 8], "data_offsets": [0, 128]}}, (b"\0", 128))
    return ["inspect", f"{at}/m"]


@case
def safetensors_of_tensors(at):
    header = b'{' + b",".join(b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % n for n in range(MILLION // 4)) + b"}"
    return ["inspect", safetensors(f"{at}/a.safetensors", header)]


@case
def safetensors_of_metadata(at):
    made = f"{at}/a.safetensors"
    keys = b'","'.join(b'%d":"' % n for n in range(4 * MILLION))
    header = b'{"__metadata__":{"' + keys + b'"}}'
    return ["inspect", safetensors(made, header)]


@case
def safetensors_of_nulls(at):
    shape = b"0" + b",0" * (20 * MILLION)
    return ["inspect", safetensors(f"{at}/a.safetensors", b'{"a":{"dtype":"F32","shape":[' + shape + b'],"data_offsets":[0,0]}}')]


# Parquet and Arrow.

def schema(*columns):
    root = fields(f4=name(b"r"), f5=number(I32, len(columns)))
    return items(STRUCT, 1 + len(columns), root + b"".join(columns))


@case
def parquet_of_rows_without_pages(at):
    footer = fields(f1=number(I32, 1), f2=schema(column(b"pos")), f3=number(I64, 1 << 40), f4=items(STRUCT, 0))
    return ["inspect", parquet(f"{at}/a.parquet", [(footer, 1)])]


@case
def parquet_of_row_groups(at):
    groups = 15 * MILLION
    head = fields(f1=number(I32, 1), f2=schema(column(b"pos")), f3=number(I64, 0))[:-1]
    group = fields(f1=items(STRUCT, 0), f2=number(I64, 0), f3=number(I64, 0))
    start = head + bytes([1 << 4 | LIST, 0xf0 | STRUCT]) + varint(groups // len(group))
    return ["inspect", parquet(f"{at}/a.parquet", [(start, 1), (group, groups // len(group)), (b"\0", 1)])]


@case
def parquet_of_empty_row_groups(at):
    head = fields(f1=number(I32, 1), f2=schema(column(b"pos")), f3=number(I64, 0))[:-1]
    count = 15 * MILLION
    start = head + bytes([1 << 4 | LIST, 0xf0 | STRUCT]) + varint(count)
    return ["inspect", parquet(f"{at}/a.parquet", [(start, 1), (b"\0", count), (b"\0", 1)])]


@case
def parquet_of_columns(at):
    count = 900_000
    root = fields(f4=name(b"r"), f5=number(I32, count))
    head = fields(f1=number(I32, 1))[:-1] + bytes([1 << 4 | LIST, 0xf0 | STRUCT]) + varint(count + 1) + root
    tail = bytes([1 << 4 | I64]) + b"\0" + bytes([1 << 4 | LIST, STRUCT]) + b"\0"
    return ["inspect", parquet(f"{at}/a.parquet", [(head, 1), (column(b"c"), count), (tail, 1)])]


@case
def parquet_of_keys_and_values(at):
    count = 7 * MILLION
    head = fields(f1=number(I32, 1), f2=schema(column(b"pos")), f3=number(I64, 0), f4=items(STRUCT, 0))[:-1]
    start = head + bytes([1 << 4 | LIST, 0xf0 | STRUCT]) + varint(count)
    return ["inspect", parquet(f"{at}/a.parquet", [(start, 1), (fields(f1=name(b"")), count // 2), (b"\0", 1)])]


def one_value(at, rows, value=b"x" * 100, label=b"id"):
    """A table of one column whose calls all have one value: a dictionary of it, and one run."""
    run = b"\x01" + varint(rows << 1) + b"\0"
    entry = struct.pack("<I", len(value)) + value
    head = lambda kind, size, **more: fields(f1=number(I32, kind), f2=number(I32, size), f3=number(I32, size), **more)
    words = head(2, len(entry), f7=(STRUCT, fields(f1=number(I32, 1), f2=number(I32, 0)))) + entry
    page = head(0, len(run), f5=(STRUCT, fields(f1=number(I32, rows), f2=number(I32, 8), f3=number(I32, 3), f4=number(I32, 3)))) + run
    about = fields(f1=number(I32, 6), f2=items(I32, 2, b"\x06\x10"), f3=items(BINARY, 1, name(label)[1]), f4=number(I32, 0),
                   f5=number(I64, rows), f6=number(I64, len(words + page)), f7=number(I64, len(words + page)),
                   f9=number(I64, 4 + len(words)), f11=number(I64, 4))
    chunk = fields(f2=number(I64, 4), f3=(STRUCT, about))
    group = fields(f1=items(STRUCT, 1, chunk), f2=number(I64, len(words + page)), f3=number(I64, rows))
    footer = fields(f1=number(I32, 1), f2=schema(column(label, 6)), f3=number(I64, rows), f4=items(STRUCT, 1, group))
    return parquet(f"{at}/a.parquet", [(footer, 1)], [(words + page, 1)])


@case
def parquet_of_one_value_for_all_calls(at):
    return ["inspect", one_value(at, 10 * MILLION)]


@case
def parquet_of_one_value_beyond_what_is_shown(at):
    return ["inspect", one_value(at, 500 * MILLION)]


@case
def parquet_of_one_value_beside_stride_zero(at):
    rows = 10 * MILLION
    made = torch(f"{at}/a.pt", (b"\x80\x02" + tensor("0", 8, (rows, 8), (0, 1)) + b".", 1), storages={"0": [(b"\0" * 32, 1)]})
    return [*analyze(at), "--model", "COHORT", "--embeddings", made, "--metadata", one_value(at, rows)]


# Activations.

@case
def activations_of_a_claimed_shape(at):
    made = npy(f"{at}/a.npy", (1 << 40, 0), descr="<u4")
    return [*analyze(at), "--activations", made, "--atoms", "8", "--metadata", plain(f"{at}/a.csv", (b"pos\n", 1))]


@case
def activations_of_zeros(at):
    head = lambda shape, descr: str({"descr": descr, "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    array = lambda shape, descr, *parts: [(b"\x93NUMPY\x01\x00v\x00" + head(shape, descr), 1), *parts]
    rows = 8 * MILLION
    made = archive(f"{at}/a.npz", {
        "format.npy": array((), "|S3", (b"csr", 1)), "shape.npy": array((2,), "<i8", (struct.pack("<qq", rows, 8), 1)),
        "indptr.npy": array((rows + 1,), "<i8", (b"\0" * 8, rows + 1)), "indices.npy": array((0,), "<i4"),
        "data.npy": array((0,), "<f4")})
    table = packed(f"{at}/a.csv.gz", (b"pos,truvari_class\n", 1), (b"1,TP\n", rows))
    return [*analyze(at), "--activations", made, "--metadata", table]


@case
def activations_of_many_atoms(at):
    made = npy(f"{at}/a.npy", (2, 4), (struct.pack("<8I", 0, 1, 2, 3, 0, 1, 2, 3), 1), descr="<u4")
    table = plain(f"{at}/a.csv", (b"pos,truvari_class\n1,TP\n2,FP\n", 1))
    return [*analyze(at), "--activations", made, "--atoms", str((1 << 32) - 1), "--metadata", table]


# What the program wrote itself, and what stands for it.

@case
def tally_of_a_long_header(at):
    header = b'{"__metadata__":{"checksum":"' + b"0" * 64 + b'","format":"atomscope tally","shards":"' + b"[0" * (40 * MILLION) + b'"}}'
    return ["report", "-q", safetensors(f"{at}/a.tally", header[:95 * MILLION]), "--out", f"{at}/out"]


@case
def tally_of_many_atoms(at):
    metadata = {"checksum": "0" * 64, "format": "atomscope tally"}
    header = {"__metadata__": metadata, "counts": {"dtype": "U64", "shape": [1 << 32, 1], "data_offsets": [0, 1 << 35]}}
    return ["merge", "-q", safetensors(f"{at}/a.tally", header, (b"\0" * 1000, 50_000)), "--out", f"{at}/b.tally"]


@case
def record_of_lists(at):
    os.makedirs(f"{at}/r")
    plain(f"{at}/r/run.json", (b'{"program":"atomscope","outputs":[0', 1), (b",[]", 15 * MILLION), (b"]}", 1))
    return ["verify", f"{at}/r"]


@case
def record_of_lists_for_the_page(at):
    os.makedirs(f"{at}/r")
    plain(f"{at}/r/run.json", (b'{"program":"atomscope","outputs":[0', 1), (b",[]", 15 * MILLION), (b"]}", 1))
    return ["html", "-q", f"{at}/r", "--out", f"{at}/a.html"]


@case
def record_of_lists_for_annotate(at):
    os.makedirs(f"{at}/r")
    plain(f"{at}/r/run.json", (b'{"program":"atomscope","outputs":[0', 1), (b",[]", 15 * MILLION), (b"]}", 1))
    vcf = plain(f"{at}/b.vcf", (VCF + LINE + b"\n1\t1\t.\tN\t<DEL>\t.\t.\tSVTYPE=DEL\n", 1))
    return ["annotate", "-q", "--results", f"{at}/r", "--vcf", vcf, "--out", f"{at}/o.vcf"]


@case
def vcf_to_annotate(at):
    made = packed(f"{at}/a.vcf.gz", (VCF + LINE + b"\n", 1), (b"1\t1\t.\tN\t<DEL>\t.\t.\tSVTYPE=DEL;SVLEN=-50\n", 2 * MILLION))
    return ["annotate", "-q", "--results", "RESULTS", "--vcf", made, "--out", f"{at}/o.vcf"]


@case
def tally_with_one_long_id(at):
    return [*long_ids(at), "tally", "-q", "--fires", "--out", f"{at}/a.tally"]


@case
def checkpoints_with_one_long_id(at):
    return [*long_ids(at), "tally", "-q", "--fires", "--checkpoint-rows", "2000", "--out", f"{at}/a.tally"]


@case
def analysis_on_disk_with_one_long_id(at):
    return [*long_ids(at), *analyze(at), "--memory", "1MB"]


def long_ids(at):
    """Embeddings of 200,000 calls that share an ID of 100,000 letters: 20 GB if it were written once a call."""
    rows = 200_000
    call = b"}(" + text("truvari_class") + text("TP") + text("id") + text("x" * 100_000) + b"uq\0"
    pickle = [(b"\x80\x02}(" + text("embeddings") + tensor("0", rows * 8, (rows, 8), (8, 1)) + text("sv_info") + b"](" + call, 1),
              (b"h\0", rows - 1), (b"eu.", 1)]
    made = torch(f"{at}/a.pt", *pickle, storages={"0": [(struct.pack("<8f", 1, -2, 3, -4, 5, -6, 7, -8), rows)]})
    return ["LATER", "--embeddings", made, "--model", "COHORT"]
