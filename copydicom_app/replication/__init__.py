"""Copying between Orthanc servers: what is named, what is there, what must go, what became of it."""
