"""Names of static files: with a hash where they were collected, as they are where they were not."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """A name with a hash may be kept by browsers for ever.

    Where nobody has collected, files come from the apps and GZipMiddleware compresses them.
    """

    def stored_name(self, name: str) -> str:
        stored: str = super().stored_name(name) if self.hashed_files else name
        return stored
