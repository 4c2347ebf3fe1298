"""Arrays come out of pickles of every kind; nothing in them is ever run."""

import copyreg
import io
import os
import pickle
import random
import struct
from pathlib import Path

import numpy as np
import pytest

from eav_offline.common.errors import InputRefused
from eav_offline.data.eav.pickles import MOST_BYTES, PickleRefused, load_arrays

PARTS = [
    np.arange(24, dtype=np.float64).reshape(2, 3, 4),
    np.array([0, 1, 4]),
    np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    np.arange(5, dtype=">i2"),
]


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def refusal(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(PickleRefused) as refused:
        load_arrays(written(tmp_path / "some.pkl", content))
    return str(refused.value)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("module", [b"numpy._core.", b"numpy.core."])
def test_arrays_of_every_protocol_and_numpy_are_read(tmp_path, protocol, module):
    content = pickle.dumps(PARTS, protocol=protocol)
    if module == b"numpy.core.":
        if protocol >= 4:
            content = content[:2] + content[11:]  # no frame: its length would be wrong
        for name in (b"multiarray", b"numeric"):
            new, old = b"numpy._core." + name, module + name
            # One byte of length stands before the name, up to protocol 3 none.
            content = content.replace(bytes([len(new)]) + new, bytes([len(old)]) + old)
            content = content.replace(new, old)
    read = load_arrays(written(tmp_path / "some.pkl", content))
    assert module not in (b"numpy.core.",) or module in content
    for expected, found in zip(PARTS, read, strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize("protocol", range(6))
def test_lists_of_numbers_and_of_arrays_become_arrays(tmp_path, protocol):
    lists = [[1, 2, 3], [np.int64(4), np.int64(5)], [[np.zeros((2, 2), np.uint8)] * 3]]
    content = pickle.dumps(lists, protocol=protocol)
    # The same array three times: 12 bytes, which the file is larger than.
    numbers, scalars, nested = load_arrays(written(tmp_path / "some.pkl", content))
    assert numbers.tolist() == [1, 2, 3]
    assert scalars.tolist() == [4, 5]
    assert nested.shape == (1, 3, 2, 2)


class Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(6))
def test_a_call_is_refused_by_name_and_not_made(tmp_path, protocol):
    content = pickle.dumps([Harmful(tmp_path / "made"), PARTS], protocol=protocol)
    said = refusal(tmp_path, content)
    assert "posix.mkdir" in said or "nt.mkdir" in said
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cbuiltins\neval\n(V1\ntR.",
        b"c__builtin__\ngetattr\n(cnumpy\nndarray\nVtofile\ntR.",
        b"cnumpy\nload\n(Vx.npy\ntR.",
        b"(ios\nsystem\n.",  # INST
        b"(cos\nsystem\nVtrue\no.",  # OBJ
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"\x80\x02cnumpy\nndarray\n)\x81.",  # NEWOBJ
        b"\x80\x02cnumpy\nndarray\n)R.",
        b"\x82\x01.",  # extension registry
        b"Pname\n.",  # persistent id
    ],
)
def test_every_way_to_call_is_refused(tmp_path, content):
    assert "nothing in it was run" in refusal(tmp_path, content)


@pytest.mark.parametrize("used", [False, True])
def test_a_registered_extension_code_is_not_called(tmp_path, used):
    copyreg.add_extension("os", "mkdir", 0x7F)
    content = b"(\x82\x7fV" + str(tmp_path / "made").encode() + b"\n\x85R."
    try:
        if used:  # pickle remembers what a code stood for
            assert pickle.loads(b"\x82\x7f.") is os.mkdir
        assert "os.mkdir" in refusal(tmp_path, content)
    finally:
        copyreg.clear_extension_cache()
        copyreg.remove_extension("os", "mkdir", 0x7F)
    assert not (tmp_path / "made").exists()


def test_a_file_larger_than_any_released_is_refused_unread(tmp_path):
    path = tmp_path / "large.pkl"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # takes no room on the disk
    with pytest.raises(PickleRefused, match="more than"):
        load_arrays(path)


def test_object_arrays_are_refused(tmp_path):
    ragged = np.array([np.zeros(2), np.zeros(3)], dtype=object)
    assert "array of objects" in refusal(tmp_path, pickle.dumps([ragged]))


def test_structured_arrays_are_refused(tmp_path):
    table = np.zeros(2, dtype=[("a", "f4"), ("b", "i2")])
    assert "arrays of numbers" in refusal(tmp_path, pickle.dumps([table]))


def test_dictionaries_are_refused(tmp_path):
    assert "EMPTY_DICT" in refusal(tmp_path, pickle.dumps({"train": PARTS}))


@pytest.mark.parametrize(
    ("opcode", "width"), [(b"B", "<I"), (b"\x8e", "<Q"), (b"X", "<I")]
)
def test_a_size_larger_than_the_file_is_refused_before_memory_is_taken(
    tmp_path, opcode, width
):
    declared = 2**31 - 1 if width == "<I" else 2**62
    content = b"\x80\x05" + opcode + struct.pack(width, declared) + b"abc."
    refusal(tmp_path, content)


def test_a_shape_larger_than_its_contents_is_refused(tmp_path):
    content = pickle.dumps([np.zeros(3, np.uint8)], protocol=4)
    assert content.count(b"K\x03\x85") == 1  # the shape (3,)
    larger = content.replace(b"K\x03\x85", b"K\xff\x85")
    assert "declares (255,)" in refusal(tmp_path, larger)


def test_one_array_named_many_times_is_refused(tmp_path):
    many: list = [np.zeros(10_000)] * 100
    assert "larger than the file" in refusal(tmp_path, pickle.dumps(many))


def test_a_list_inside_itself_is_refused(tmp_path):
    endless: list = []
    endless.append(endless)
    assert "a list" in refusal(tmp_path, pickle.dumps([endless]))


def test_a_put_to_a_distant_place_takes_no_memory(tmp_path):
    content = b"\x80\x02]r\xff\xff\xff\x7f."  # LONG_BINPUT 2^31 - 1
    assert "declares" in refusal(tmp_path, content)


def test_spoilt_files_are_refused_or_read(tmp_path):
    draw = random.Random(0)
    whole = [pickle.dumps(PARTS, protocol=protocol) for protocol in range(6)]
    outcomes = {"refused": 0, "read": 0}
    for number in range(600):
        content = bytearray(whole[number % 6])
        at = draw.randrange(len(content))
        if number % 3 == 0:
            del content[at:]
        elif number % 3 == 1:
            content[at] ^= 1 << draw.randrange(8)
        else:
            content[at:at] = draw.randbytes(4)
        try:
            load_arrays(written(tmp_path / "some.pkl", bytes(content)))
            outcomes["read"] += 1
        except InputRefused:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 20


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PickleRefused, match="cannot be read"):
        load_arrays(tmp_path / "none.pkl")


def test_pythons_own_pickler_is_read_too(tmp_path):
    buffer = io.BytesIO()
    pickle._Pickler(buffer, protocol=2).dump(PARTS)
    read = load_arrays(written(tmp_path / "some.pkl", buffer.getvalue()))
    np.testing.assert_array_equal(read[0], PARTS[0])
