"""Which layers of a pre-trained segmentation network should be fine-tuned?"""

__version__ = "0.1.0"
