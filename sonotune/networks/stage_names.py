"""Names of stages, input to output, known without loading PyTorch."""

# The two U-Nets; block 5, the bottleneck, is two stages.
UNET_STAGES = (
    "block1",
    "block2",
    "block3",
    "block4",
    "block5a",
    "block5b",
    "block6",
    "block7",
    "block8",
    "block9",
)
# Levels of an encoder.
LEVELS = tuple(f"encoder{level}" for level in range(5))
