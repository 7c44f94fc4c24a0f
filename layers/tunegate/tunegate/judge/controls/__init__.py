"""The controls: what a job, a model and the estate are held to. One file a subject, one table of all."""
