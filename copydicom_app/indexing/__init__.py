"""Following an Orthanc server: what came in, read once, kept through whatever breaks."""
