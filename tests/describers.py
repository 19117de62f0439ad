"""What makes vectors of pictures without being an extractor."""

import numpy as np


def mean_colour(picture):
    return picture.mean(axis=(0, 1))


def mean_colours(pictures):
    return np.stack([mean_colour(picture) for picture in pictures])


class Plain:
    """An object with transform and nothing else."""

    def transform(self, images):
        return [mean_colour(image).tolist() for image in images]


class Learner(Plain):
    """One that learns, and remembers what it was shown."""

    seen = 0

    def fit(self, images):
        self.seen = len(list(images))
        self.centre = mean_colours(images).mean(axis=0)
        return self

    def transform(self, images):
        return mean_colours(images) - self.centre
