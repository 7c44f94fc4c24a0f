"""Model files: is what was uploaded the weights of a model and nothing else, and would Bedrock import it?

Nothing here unpickles, imports or renders what it reads, and every read is counted and bounded.
"""

from tunegate.scan.weights.findings import FileFinding, FileReport
from tunegate.scan.weights.upload import ModelFacts, ModelFile, examine_file, examine_upload

__all__ = ["FileFinding", "FileReport", "ModelFacts", "ModelFile", "examine_file", "examine_upload"]
