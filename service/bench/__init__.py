"""`aside bench`: loads a running service and tells how it bore it. A client: all that it knows of Aside is HTTP."""
