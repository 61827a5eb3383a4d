"""Quality metrics: equivariance so far (FID, KID, precision and recall, IS and PPL are not built yet)."""
