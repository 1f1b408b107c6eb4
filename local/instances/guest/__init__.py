"""What runs inside an instance's box: its init, its systemd, its cloud-init, its programs.

Standard library only, and run by the host's interpreter without site-packages.
"""
