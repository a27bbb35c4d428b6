"""The held-out questions as other evaluation toolkits read them; none of the toolkits is needed to write them.

The files hold pictures. They are made for this machine: pictures of research-only datasets must not be passed on.
"""
