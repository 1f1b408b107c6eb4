"""One small adapter for each service: boto3 and AWS's error codes live here and nowhere else."""
