"""The EICAR test file, the harmless string that scanners agree to report as malware."""

# Held in two parts so that this file is not itself reported.
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"
