"""Compressed vectors: what their codes stand for, what they take, and how methods name them."""

import numpy as np
import pytest
import scipy.sparse

from benchmarks.pipeline.methods.names import expand, parse_method
from benchmarks.pipeline.records.results import read_results
from datasets.errors import InputError
from extractors.base import NothingToLearnError
from extractors.compression import (
    COMPRESSIONS,
    EightBits,
    HalfPrecision,
    PrincipalComponents,
    Signs,
)
from retrieval.fusion.methods import FUSION_METHODS, EarlyFusion
from retrieval.reranking.menu import RERANKINGS


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(40, 24)) * np.linspace(3, 0.1, 24)).astype(np.float32)


def units(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_principal_components_keep_what_varies_most(vectors):
    found = PrincipalComponents(6).fit(vectors).transform(vectors)
    centred = units(vectors) - units(vectors).mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False)
    assert found.shape == (40, 6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), values[:6], rtol=1e-5)
    few = PrincipalComponents(128).fit(vectors[:9])
    assert few.transform(vectors).shape == (40, 8)


def test_half_precision_is_numpys(vectors):
    found = HalfPrecision().transform(vectors * 1e6)  # float16 ends at 65,504
    np.testing.assert_allclose(found, units(vectors), atol=2**-12)
    assert np.array_equal(found, found.astype(np.float16))


def test_eight_bits_are_at_most_half_a_step_off_and_256_values(vectors):
    step = EightBits().fit(vectors)
    found = step.transform(vectors)
    width = np.ptp(units(vectors), axis=0) / 255
    assert (np.abs(found - units(vectors)) <= width / 2 + 1e-7).all()
    beyond = step.transform(np.eye(24, dtype=np.float32) * 5)
    assert (beyond <= step.most_ + 1e-7).all()
    constant = EightBits().fit(np.ones((3, 4), np.float32))
    np.testing.assert_allclose(constant.transform(np.ones((2, 4), np.float32)), 0.5)


def test_signs_are_in_the_order_of_hamming(vectors):
    found = Signs().fit(vectors).transform(vectors)
    above = units(vectors) > units(vectors).mean(axis=0)
    hamming = (above[0] != above).sum(axis=1)
    euclidean = ((found[0] - found) ** 2).sum(axis=1)
    np.testing.assert_allclose(euclidean, 4 * hamming)


@pytest.mark.parametrize("name", [name for name in COMPRESSIONS if name != "float16"])
def test_one_image_teaches_nothing(name, vectors):
    with pytest.raises(NothingToLearnError, match="at least two training images"):
        type(COMPRESSIONS[name])().fit(vectors[:1])


def test_sparse_vectors_are_those_of_their_numbers(vectors):
    whole = np.maximum(vectors, 0)
    for step in (HalfPrecision(), EightBits().fit(whole)):
        found = step.transform(scipy.sparse.csr_matrix(whole))
        np.testing.assert_array_equal(found, step.transform(whole))


def test_a_record_says_what_its_vectors_take(parted, run, tmp_path):
    names = ["rgb-histogram", *(f"rgb-histogram+{step}" for step in COMPRESSIONS)]
    more = ["rgb-histogram+lbp+int8+rrf", "rgb-histogram+pca32+int8+alpha-qe"]
    assert run("--extractor", *names, *more, "--dataset", parted) == 0
    records = read_results(tmp_path / "out" / "parted").tasks["query"].records
    found = {one["method"]: (one["dimensions"], one["bytes_per_image"]) for one in records}
    dims, taken = found["rgb-histogram"]
    assert taken == 4 * dims
    assert found["rgb-histogram+float16"] == (dims, 2 * dims)
    assert found["rgb-histogram+int8"] == (dims, dims)
    assert found["rgb-histogram+binary"] == (dims, -(-dims // 8))
    assert found["rgb-histogram+pca128"] == (7, 28)  # eight training images
    assert found["rgb-histogram+pca32+int8+alpha-qe"] == (7, 7)
    assert found["rgb-histogram+lbp+int8+rrf"][0] == found["rgb-histogram+lbp+int8+rrf"][1]


def test_compressed_vectors_rank_as_their_codes_would(parted, run, export_vectors):
    assert run("--extractor", "colour-moments+binary", "--dataset", parted) == 0
    assert set(np.unique(export_vectors("colour-moments+binary"))) == {-1.0, 1.0}


@pytest.fixture
def export_vectors(parted, tmp_path):
    from benchmarks.export.__main__ import main
    from benchmarks.formats.vectors import read_vectors

    def export(name):
        folders = ["--out", tmp_path / "taken", "--results", tmp_path / "out"]
        words = ["vectors", "--dataset", parted, "--extractor", name, "--format", "npz", *folders]
        assert main([str(one) for one in (*words, "--cache", tmp_path / "cache")]) == 0
        path = tmp_path / "taken" / "parted" / "vectors" / f"{name}.npz"
        assert read_vectors(str(path)).shape
        with np.load(path) as file:
            return file["vectors"]

    return export


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hog+rrf+int8", "compressions right behind the extractors"),
        ("hog+int8+pca32", "in the order of pca128, pca32, float16, int8, binary"),
        ("hog+gist+int8+concat", "vectors that are joined are not compressed; fuse late"),
        ("hog+int8+gist", "first extractors, then how they are compressed"),
        ("hog+int8+int8", "something stands there twice"),
    ],
)
def test_names_that_make_no_sense_are_one_line(name, message):
    with pytest.raises(InputError) as raised:
        parse_method(name)
    assert message in str(raised.value)


def test_a_star_behind_a_compression_leaves_out_joining():
    late = [f"hog+gist+int8+{step}" for step in FUSION_METHODS]
    joined = {
        f"hog+gist+int8+{n}" for n, m in FUSION_METHODS.items() if isinstance(m, EarlyFusion)
    }
    assert expand("hog+gist+int8+*") == [name for name in late if name not in joined]
    assert expand("hog+int8+*") == [f"hog+int8+{step}" for step in RERANKINGS]
