"""Small archives in the true layout of each public set, and the counts that a run on them has."""

import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pictures import picture
from scipy.io import savemat


def jpeg(seed, size=24, form="JPEG"):
    buffer = io.BytesIO()
    picture(seed, size, seed % 3).save(buffer, format=form)
    return buffer.getvalue()


def tar(files, mode="w:gz"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def packed(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def matlab(**variables):
    buffer = io.BytesIO()
    savemat(buffer, variables)
    return buffer.getvalue()


def pictures(names, form="JPEG", first=0):
    return {name: jpeg(first + number, form=form) for number, name in enumerate(names)}


def numbered(pattern, numbers, first=0):
    return pictures([pattern.format(number) for number in numbers], first=first)


@dataclass
class Small:
    """A small copy of a set.

    Attributes
    ----------
    archives : dict of str to bytes
        By file name.
    training, gallery : int
        Images of these parts; of the gallery with distractors.
    queries : dict of str to int
        Images of each query set.
    left_out : int
        Queries of the first query set without a relevant image.
    """

    archives: dict
    training: int
    gallery: int
    queries: dict
    left_out: int = 0


NAMES = [f"all_souls_{number:06}" for number in range(6)]
ASKING = ["all_souls_000100", "all_souls_000101"]
TRUTH = {
    "imlist": NAMES,
    "qimlist": ASKING,
    "gnd": [
        {"bbx": [1.2, 2, 20.6, 22], "easy": [0], "hard": [1], "junk": [2, 3]},
        {"bbx": [0, 0, 23, 23], "easy": [], "hard": [4], "junk": []},
    ],
}


def revisited(name, archives, million=False):
    shares = np.array_split([*NAMES, *ASKING], len(archives))
    made = {f"gnd_{name}.pkl": pickle.dumps(TRUTH, protocol=3)}
    for number, (archive, share) in enumerate(zip(archives, shares, strict=True)):
        made[archive] = tar(numbered("landmark/{}.jpg", share, 10 * number))
    if million:
        for n in range(1, 101):
            made[f"revisitop1m.{n}.tar.gz"] = tar({f"{n}/d{n}.jpg": jpeg(999 + n)})
    queries = dict.fromkeys(("query-easy", "query-medium", "query-hard"), 2)
    return Small(made, 0, 6 + 100 * million, queries, 1)


def holidays():
    one = numbered("jpg/{}.jpg", (100000, 100001, 100100))
    two = numbered("jpg/{}.jpg", (100101, 100102), 10)
    return Small({"jpg1.tar.gz": tar(one), "jpg2.tar.gz": tar(two)}, 0, 5, {"query": 2})


def ukbench():
    files = numbered("ukbench/full/ukbench{:05}.jpg", range(8))
    files |= numbered("ukbench/thumbnails/ukbench{:05}.jpg", range(8), 50)
    return Small({"ukbench.zip": packed(files)}, 0, 8, {"query": 8})


def gpr1200():
    files = {f"images/{n // 10}_x{n % 10}.jpg": jpeg(n) for n in range(20)}
    return Small({"GPR1200.zip": packed(files)}, 0, 20, {"query": 20})


def corel1000():
    files = numbered("image.orig/{}.jpg", [*range(5), *range(900, 905)])
    return Small({"test1.zip": packed(files)}, 4, 4, {"query": 2})


def caltech101():
    names = [
        f"{c}/image_{n:04}.jpg" for c in ("BACKGROUND_Google", "ant", "bass") for n in range(5)
    ]
    inner = tar(pictures([f"101_ObjectCategories/{name}" for name in names]))
    files = {"caltech-101/101_ObjectCategories.tar.gz": inner, "caltech-101/Annotations.tar": b""}
    return Small({"caltech-101.zip": packed(files)}, 4, 4, {"query": 2})


def flowers102():
    sets = {"trnid": [[1, 2]], "valid": [[3]], "tstid": [[4, 5, 6, 7]]}
    made = {
        "102flowers.tgz": tar(numbered("jpg/image_{:05}.jpg", range(1, 8)), "w"),
        "imagelabels.mat": matlab(labels=[[1, 2, 1, 1, 1, 2, 2]]),
        "setid.mat": matlab(**sets),
    }
    return Small(made, 3, 4, {"query": 4})


def cub200():
    rows = [(n, c) for n, c in enumerate((1, 1, 100, 101, 101, 200, 200), 1)]
    files = numbered("CUB_200_2011/images/001.A_bird/{}.jpg", range(1, 8))
    names = "\n".join(f"{n} 001.A_bird/{n}.jpg" for n, _ in rows)
    classes = "\n".join(f"{n} {c}" for n, c in rows)
    files |= {
        "attributes.txt": b"1 colour\n",
        "CUB_200_2011/images.txt": names.encode(),
        "CUB_200_2011/image_class_labels.txt": classes.encode(),
    }
    return Small({"CUB_200_2011.tgz": tar(files)}, 3, 4, {"query": 4})


def annotations(*classes):
    rows = [(c, f"{n:05}.jpg") for n, c in enumerate(classes, 1)]
    made = np.array([rows], dtype=[("class", "O"), ("fname", "O")])
    return matlab(annotations=made)


def cars196():
    made = {
        "cars_train.tgz": tar(numbered("cars_train/{:05}.jpg", range(1, 4))),
        "cars_test.tgz": tar(numbered("cars_test/{:05}.jpg", range(1, 5), 20)),
        "car_devkit.tgz": tar({"devkit/cars_train_annos.mat": annotations(1, 98, 99)}),
        "cars_test_annos_withlabels.mat": annotations(99, 2, 196, 196),
    }
    return Small(made, 3, 4, {"query": 4})


def sop():
    head = "image_id class_id super_class_id path"
    train = [f"{n} {n // 2} 1 bicycle_final/{n}_0.JPG" for n in range(4)]
    test = [f"{n} {n // 2} 2 chair_final/{n}_0.JPG" for n in range(4, 10)]
    names = [row.split()[-1] for row in (*train, *test)]
    files = pictures([f"Stanford_Online_Products/{name}" for name in names])
    for name, rows in (("train", train), ("test", test)):
        text = "\n".join([head, *rows]).encode()
        files[f"Stanford_Online_Products/Ebay_{name}.txt"] = text
    return Small({"Stanford_Online_Products.zip": packed(files)}, 4, 6, {"query": 6})


def in_shop():
    parts = ["train", "train", "query", "query", "gallery", "gallery", "gallery"]
    names = [f"img/WOMEN/Tees/id_{n % 2:08}/0{n}_front.jpg" for n in range(len(parts))]
    rows = [f"{name}   id_{n % 2:08}   {parts[n]}" for n, name in enumerate(names)]
    text = "\n".join(["7", "image_name item_id evaluation_status", *rows])
    made = {"img.zip": packed(pictures(names)), "list_eval_partition.txt": text.encode()}
    return Small(made, 2, 3, {"query": 2})


def domains(names, wrapper):
    return pictures(
        [f"{wrapper}{name}/{c}/{n}.jpg" for name in names for c in "ab" for n in range(5)]
    )


def pacs():
    files = domains(("photo", "sketch", "cartoon", "art_painting"), "kfold/")
    others = dict.fromkeys(("query-art-painting", "query-cartoon", "query-sketch"), 10)
    return Small({"PACS.zip": packed(files)}, 4, 4, {"query": 2} | others)


def office_home():
    files = domains(("Real World", "Art", "Clipart", "Product"), "OfficeHomeDataset_10072016/")
    others = dict.fromkeys(("query-art", "query-clipart", "query-product"), 10)
    return Small({"OfficeHomeDataset_10072016.zip": packed(files)}, 4, 4, {"query": 2} | others)


def domainnet():
    lists = {
        "real_train.txt": ["real/ant/1.jpg", "real/bee/2.jpg"],
        "real_test.txt": ["real/ant/3.jpg", "real/bee/4.jpg", "real/bee/5.jpg"],
        "sketch_test.txt": ["sketch/ant/6.jpg", "sketch/bee/7.jpg"],
    }
    real = pictures([*lists["real_train.txt"], *lists["real_test.txt"]])
    made = {
        "real.zip": packed(real),
        "sketch.zip": packed(pictures([*lists["sketch_test.txt"], "sketch/ant/8.jpg"], first=9)),
    }
    made |= {
        name: "\n".join(f"{file} {'bee' in file:d}" for file in files).encode()
        for name, files in lists.items()
    }
    return Small(made, 2, 3, {"query-sketch": 2})


def imagenet_sketch():
    files = pictures([f"sketch/n0144076{c}/sketch_{n}.JPEG" for c in "45" for n in range(3)])
    return Small({"ImageNet-Sketch.zip": packed(files)}, 0, 6, {"query": 6})


def sketchy(*unseen):
    files = {}
    names = (*unseen, "zebra")
    for number, name in enumerate(names):
        for tx in ("tx_000000000000", "tx_000100000000"):
            photos = [f"256x256/photo/{tx}/{name}/n0{n}_1.jpg" for n in range(2)]
            files |= pictures(photos, first=10 * number)
            sketches = [f"256x256/sketch/{tx}/{name}/n0{n}_1-1.png" for n in range(3)]
            files |= pictures(sketches, "PNG", 100 + 10 * number)
    extended = pictures([f"EXTEND_image_sketchy/{name}/e.jpg" for name in names], first=200)
    made = {"rendered_256x256.7z": packed(files), "EXTEND_image_sketchy.zip": packed(extended)}
    return Small(made, 6, 6, {"query-sketch": 6})


def tu_berlin():
    files = {
        f"png/{c}/{n}.png": jpeg(n, form="PNG") for c, n in zip("aabb", range(4), strict=True)
    }
    files["png/filelist.txt"] = b"a/1.png"
    return Small({"sketches_png.zip": packed(files)}, 0, 4, {"query": 4})


def imagenette():
    classes = ("n01440764", "n02102040")
    names = [f"{p}/{c}/{n}.JPEG" for p in ("train", "val") for c in classes for n in range(3)]
    files = pictures([f"imagenette2-320/{name}" for name in names])
    files["imagenette2-320/noisy_imagenette.csv"] = b"path,label\n"
    return Small({"imagenette2-320.tgz": tar(files)}, 0, 6, {"query": 6})


OXFORD, PARIS = ("oxbuild_images-v1.tgz",), ("paris_1-v1.tgz", "paris_2-v1.tgz")
SETS: dict[str, Callable[[], Small]] = {
    "roxford5k": lambda: revisited("roxford5k", OXFORD),
    "rparis6k": lambda: revisited("rparis6k", PARIS),
    "roxford5k-1m": lambda: revisited("roxford5k", OXFORD, million=True),
    "rparis6k-1m": lambda: revisited("rparis6k", PARIS, million=True),
    "holidays": holidays,
    "ukbench": ukbench,
    "gpr1200": gpr1200,
    "corel1000": corel1000,
    "caltech101": caltech101,
    "flowers102": flowers102,
    "cub200": cub200,
    "cars196": cars196,
    "sop": sop,
    "in-shop": in_shop,
    "pacs": pacs,
    "office-home": office_home,
    "domainnet": domainnet,
    "imagenet-sketch": imagenet_sketch,
    "sketchy": lambda: sketchy("cup", "swan"),
    "sketchy-21": lambda: sketchy("bat", "cow"),
    "tu-berlin": tu_berlin,
    "imagenette": imagenette,
}
"""By the set's name."""
