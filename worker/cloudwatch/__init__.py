"""The numbers that autoscaling and alarms on AWS live on, written to CloudWatch by beat."""
