"""What can go wrong with the embedded AWS as a whole."""


class CloudStartError(Exception):
    """The embedded AWS ended or stayed silent instead of becoming ready; says what it printed."""
