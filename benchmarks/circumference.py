"""Print how far circumferences of HC18's masks are from the measured ones.

python benchmarks/circumference.py FOLDER   (the folder that holds training_set/ and the CSV)
"""

import sys

import numpy as np

from sonotune.data.readers.circumference import residuals

print("mask        median   95 %   largest   |difference| in mm")
for name, values in residuals(sys.argv[1]).items():
    size = np.abs(values)
    print(f"{name:9} {np.median(size):8.4f} {np.quantile(size, 0.95):7.4f} {size.max():8.4f}")
