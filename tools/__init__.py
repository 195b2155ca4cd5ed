"""Programs for those who develop wenqu; not part of the package."""
