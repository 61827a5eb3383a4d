"""Data sets from people's pictures: conversion. Functions without flags that print nothing, and without TensorFlow."""
