"""Names of stages, input to output, known without loading PyTorch."""

# The two U-Nets; block 5, the bottleneck, is two stages.
UNET_STAGES = tuple(f"block{name}" for name in (1, 2, 3, 4, "5a", "5b", 6, 7, 8, 9))
# Levels of an encoder.
LEVELS = tuple(f"encoder{level}" for level in range(5))
