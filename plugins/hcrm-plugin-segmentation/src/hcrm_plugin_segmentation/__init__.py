"""Customer segmentation for HCRM."""
