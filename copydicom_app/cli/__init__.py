"""The command ``copydicom``: what `copydicom_app.library` does, for a person at a console or a schedule.

Not part of the Splunk app: it needs click and rich, which the app does not bring.
"""
