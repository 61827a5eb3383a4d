"""Quality metrics (FID, KID, precision and recall, IS, PPL, equivariance). Not built yet."""
