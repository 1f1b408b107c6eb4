"""The agent on the instance: takes jobs while the group wants it to, and gives them back in time.

It imports the standard library and boto3 only; torch belongs to the child process of the jobs.
"""
