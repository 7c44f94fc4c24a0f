"""Model files: is what was uploaded the weights of a model and nothing else, and would Bedrock import it?

Nothing here unpickles, imports or renders what it reads, and every read is counted and bounded. `upload` is the way in;
this module imports nothing, for who reads a manifest needs none of the rest.
"""
