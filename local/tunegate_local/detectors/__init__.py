"""Amazon Comprehend and Amazon Bedrock Guardrails on a laptop: the AWS wire protocol with real detection inside.

Started as `python -m tunegate_local.detectors comprehend --port 4701` and
`python -m tunegate_local.detectors bedrock-runtime --port 4702`, and reached by any AWS SDK on these ports or, in the
embedded cloud, by the emulator's own. Nothing in here imports Tunegate's own screen: what a test finds here was found
by an implementation that does not share its mistakes.

Beside the AWS operations each port answers, without a signature:

| request | answer |
| --- | --- |
| `GET /_ready` | 200 once the models are loaded |
| `GET /_meter`, `DELETE /_meter` | requests, characters, billed units and errors per operation; back to zero |
| `PUT /_faults`, `DELETE /_faults` | the next `times` calls of `operation` fail with `error`; no more of that |

IAM is not evaluated here, and a signature's presence is checked but not its value: the emulator does both before it
passes a request on.
"""
